//! Weights in a file: read once and shared, and what is said of a file that holds others.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;

use tf_layers::zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};
use tf_layers::{Dense, Weights, fingerprint};

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[zerocopy(crate = "tf_layers::zerocopy")]
#[repr(C)]
struct Layers {
    numbers: [f32; 112],
    score: Dense<1, 1, 2>,
}

/// A file of the system's temporary folder, which goes with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("tf-layers-{}-{name}", process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    /// What is said of the file if it should hold layers of this fingerprint.
    fn error(&self, expected: u64) -> String {
        let error = Weights::<Layers>::open(&self.0, expected).unwrap_err().to_string();
        error.replace(&self.0.display().to_string(), "weights.bin")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn layers_are_read_as_they_were_written() {
    let mut layers = Layers::new_box_zeroed().unwrap();
    layers.numbers[111] = 1.5;
    let file = Temporary::new("right", layers.as_bytes());
    let weights = Weights::<Layers>::open(&file.0, fingerprint(layers.as_bytes())).unwrap();
    assert_eq!(weights.numbers, layers.numbers);
    assert_eq!(&raw const weights.clone().numbers, &raw const weights.numbers);
    assert_eq!(format!("{weights:?}"), format!("Weights({} bytes)", size_of::<Layers>()));
}

#[test]
fn a_file_of_another_length_is_refused() {
    for length in [0, size_of::<Layers>() - 1, size_of::<Layers>() + 1] {
        let bytes = vec![0; length];
        let file = Temporary::new(&length.to_string(), &bytes);
        assert_eq!(
            file.error(fingerprint(&bytes)),
            format!(
                "weights.bin: {length} bytes where the weights are {}; write it with \
                 `cargo run --release --example pack` of this model",
                size_of::<Layers>()
            )
        );
    }
}

#[test]
fn a_bit_that_changed_is_found() {
    let mut bytes = vec![0; size_of::<Layers>()];
    let expected = fingerprint(&bytes);
    bytes[200] = 1;
    let error = Temporary::new("bit", &bytes).error(expected);
    assert!(
        error.starts_with("weights.bin: damaged, or the weights of another training"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let file = Temporary::new("missing", &[]);
    fs::remove_file(&file.0).unwrap();
    assert!(file.error(0).starts_with("weights.bin: No such file"), "{}", file.error(0));
}
