use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zerocopy::{FromBytes, IntoBytes, KnownLayout};

use crate::fingerprint::fingerprint;

/// The layers of a model with the weights that were read from a file: once, for all that share
/// them.
pub struct Weights<Layers>(Arc<Held<Layers>>);

/// A box can be made of zeros without passing the stack, and an `Arc` cannot.
struct Held<Layers>(Box<Layers>);

impl<Layers: FromBytes + IntoBytes + KnownLayout> Weights<Layers> {
    /// Reads a file that holds the bytes of `Layers`, and nothing else. Their
    /// [`fingerprint`] has to be the one that is expected.
    pub fn open(path: &Path, expected: u64) -> Result<Self, WeightsError> {
        let fails = |reason| WeightsError { path: path.to_owned(), reason };
        let unreadable = |error| fails(Reason::Unreadable(error));
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if length != size_of::<Layers>() as u64 {
            return Err(fails(Reason::Length { found: length, expected: size_of::<Layers>() }));
        }
        let mut layers = Layers::new_box_zeroed().map_err(|_| fails(Reason::Memory))?;
        file.read_exact(layers.as_mut_bytes()).map_err(unreadable)?;
        if fingerprint(layers.as_mut_bytes()) != expected {
            return Err(fails(Reason::Content));
        }
        Ok(Self(Arc::new(Held(layers))))
    }
}

impl<Layers> Deref for Weights<Layers> {
    type Target = Layers;

    fn deref(&self) -> &Layers {
        &self.0.0
    }
}

/// The same weights again, and not a copy of them.
impl<Layers> Clone for Weights<Layers> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Layers> Debug for Weights<Layers> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "Weights({} bytes)", size_of::<Layers>())
    }
}

/// Why a file is not one of the model's weights.
#[derive(Debug)]
pub struct WeightsError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Unreadable(io::Error),
    Length { found: u64, expected: usize },
    Memory,
    Content,
}

impl Display for WeightsError {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        const ADVICE: &str = "write it with `cargo run --release --example pack` of this model";
        write!(f, "{}: ", self.path.display())?;
        match &self.reason {
            Reason::Unreadable(error) => write!(f, "{error}"),
            Reason::Length { found, expected } => {
                write!(f, "{found} bytes where the weights are {expected}; {ADVICE}")
            }
            Reason::Memory => f.write_str("not enough memory for the weights"),
            Reason::Content => {
                write!(f, "damaged, or the weights of another training; {ADVICE}")
            }
        }
    }
}

impl Error for WeightsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Unreadable(error) => Some(error),
            Reason::Length { .. } | Reason::Memory | Reason::Content => None,
        }
    }
}
