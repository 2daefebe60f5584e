//! Reads what numpy writes (`data/make.py`), and refuses what is damaged.
#![cfg(feature = "npz")]

use tf_layers::npz::{Npz, NpzError, NpzWriter};
use tf_layers::zerocopy::FromZeros;

const TYPES: &[u8] = include_bytes!("data/types.npz");
const STORED: &[u8] = include_bytes!("data/stored.npz");
const DEFLATED: &[u8] = include_bytes!("data/deflated.npz");

#[test]
fn converts_numbers_of_every_type_and_order() {
    let npz = Npz::new(TYPES).unwrap();
    for name in npz.names() {
        let integer = name.contains("_i") || name.contains("_u");
        if name.ends_with("b1") {
            let odd = [[[false, true, false], [true, false, true]]; 2];
            assert_eq!(npz.rows::<[[bool; 3]; 2]>(name).unwrap(), odd, "{name}");
            assert!(npz.rows::<[[f32; 3]; 2]>(name).is_err(), "{name}");
            continue;
        }
        let scale = if name == "sliced" { 2.0 } else { 1.0 };
        let expected: Vec<f64> = (0..12).map(|i| scale * f64::from(i)).collect();
        let floats: Vec<[[f64; 3]; 2]> = npz.rows(name).unwrap();
        assert_eq!(floats.as_flattened().as_flattened(), expected, "{name}");
        let floats: Box<[[[f32; 3]; 2]; 2]> = npz.array(name).unwrap();
        assert_eq!(floats[1][1][2], 11.0 * scale as f32, "{name}");

        let small = [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]];
        let read = npz.rows::<[[u8; 3]; 2]>(name);
        assert_eq!(read.ok(), integer.then_some(small.to_vec()), "{name}");
        let read = npz.rows::<[[i32; 3]; 2]>(name).map(|rows| rows[1][0][2]);
        assert_eq!(read.ok(), integer.then_some(8), "{name}");
        let read = npz.rows::<[[i64; 3]; 2]>(name).map(|rows| rows[1][0][2]);
        assert_eq!(read.ok(), integer.then_some(8), "{name}");
    }
    assert_eq!(npz.names().count(), 27);
}

#[test]
fn takes_one_number_as_a_row_with_or_without_a_dimension() {
    let npz = Npz::new(STORED).unwrap();
    for name in ["column", "line"] {
        assert_eq!(npz.rows::<f32>(name).unwrap(), [0.5, 1.5, 2.5]);
        assert_eq!(npz.rows::<[f32; 1]>(name).unwrap(), [[0.5], [1.5], [2.5]]);
        assert!(npz.rows::<[[f32; 1]; 1]>(name).is_err());
    }
    assert_eq!(*npz.array::<f32, 1>("scalar").unwrap(), [0.5]);
    assert_eq!(npz.rows::<[f32; 3]>("empty").unwrap(), [[0.0; 3]; 0]);
}

#[test]
fn keeps_every_bit_of_special_values() {
    let npz = Npz::new(STORED).unwrap();
    assert_eq!(npz.rows::<i64>("limits").unwrap(), [i64::MIN, i64::MAX]);
    assert_eq!(npz.rows::<f64>("large").unwrap(), [2_f64.powi(64)]);
    let floats: Vec<f32> = npz.rows("floats").unwrap();
    let expected = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::from_bits(1), 0.1];
    assert_eq!(
        floats.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
        expected.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
    );
}

#[test]
fn says_what_was_expected_and_found() {
    let npz = Npz::new(STORED).unwrap();
    let says = |error: NpzError, expected: &str| {
        assert_eq!(error.to_string(), expected);
    };
    says(
        npz.rows::<[i64; 100]>("column").unwrap_err(),
        "array `column`: expected int64 (n, 100), found float32 (3, 1)",
    );
    says(
        npz.rows::<i32>("line").unwrap_err(),
        "array `line`: expected int32 (n,), found float32 (3,)",
    );
    says(
        npz.array::<[f32; 1], 4>("line").unwrap_err(),
        "array `line`: expected float32 (4, 1), found float32 (3,)",
    );
    says(
        npz.rows::<[[f32; 2]; 2]>("scalar").unwrap_err(),
        "array `scalar`: expected float32 (n, 2, 2), found float32 ()",
    );
    says(
        npz.rows::<f32>("strings").unwrap_err(),
        "array `strings`: expected float32 (n,), found \"<U4\" (2,)",
    );
    says(
        npz.rows::<u8>("bytes").unwrap_err(),
        "array `bytes`: expected uint8 (n,), found \"|S4\" (2,)",
    );
    says(
        npz.rows::<f64>("complex").unwrap_err(),
        "array `complex`: expected float64 (n,), found \"<c16\" (1,)",
    );
    says(
        npz.rows::<f32>("objects").unwrap_err(),
        "array `objects`: expected float32 (n,), found \"|O\" (2,)",
    );
    says(
        npz.rows::<f32>("records").unwrap_err(),
        "array `records` is not one of numbers, or is damaged",
    );
    says(
        npz.rows::<i32>("limits").unwrap_err(),
        "array `limits`: row 0 holds -9223372036854775808 at position 0, which does not fit int32",
    );
    says(
        npz.rows::<bool>("large").unwrap_err(),
        "array `large`: row 0 holds 18446744073709551615 at position 0, which does not fit bool",
    );
    says(
        Npz::new(DEFLATED).unwrap().rows::<u8>("nose").unwrap_err(),
        "array `nose` is missing: the file holds [`noise`, `runs`, `text`, `tiny`]",
    );
    says(Npz::new(b"PK").unwrap_err(), "not an npz file, or one that is cut off");
    let twice = NpzWriter::new().array("a", &[1.0_f32]).array("a", &[2.0_f32]).finish();
    says(Npz::new(&twice).unwrap_err(), "array `a` is there twice");
}

#[test]
fn inflates_every_kind_of_block() {
    let npz = Npz::new(DEFLATED).unwrap();
    let noise: Vec<u8> = std::iter::successors(Some(1_u32), |state| {
        Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    })
    .skip(1)
    .take(3000)
    .map(|state| (state >> 24) as u8)
    .collect();
    assert_eq!(npz.rows::<u8>("noise").unwrap(), noise);
    let runs = [vec![7; 100_000], vec![0], vec![255; 70_000]].concat();
    assert_eq!(npz.rows::<u8>("runs").unwrap(), runs);
    let text = (0..2000).map(|i| (i * i).to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(npz.rows::<u8>("text").unwrap(), text.as_bytes());
    assert_eq!(npz.rows::<u8>("tiny").unwrap(), [1]);
}

#[test]
fn reads_rows_larger_than_the_stack() {
    type Row = [[[f32; 64]; 112]; 112];
    let mut rows: Vec<Row> = FromZeros::new_vec_zeroed(2).unwrap();
    rows[1][111][111][63] = 1.5;
    let file = NpzWriter::new().array("rows", &rows).finish();
    let npz = Npz::new(&file).unwrap();
    assert_eq!(npz.rows::<Row>("rows").unwrap()[1][111][111][63], 1.5);
    assert_eq!(npz.array::<Row, 2>("rows").unwrap()[1][111][111][63], 1.5);
}

#[test]
fn refuses_files_cut_off_anywhere() {
    for file in [TYPES, STORED, DEFLATED] {
        for len in 0..file.len() {
            assert!(Npz::new(&file[..len]).is_err(), "the first {len} bytes");
        }
    }
}

#[test]
fn never_reads_other_numbers_from_damaged_files() {
    let rows = [[1.5_f32, -2.0, 0.25], [3.0, 4.0, 1e9]];
    let stored = NpzWriter::new().array("rows", &rows).finish();
    for (file, name) in [(&stored[..], "rows"), (DEFLATED, "tiny")] {
        let read = |file: &[u8]| {
            let npz = Npz::new(file).ok()?;
            Some((npz.rows::<[f32; 3]>(name).ok(), npz.rows::<u8>(name).ok()))
        };
        let expected = read(file).unwrap();
        let mut damaged = file.to_vec();
        for at in 0..file.len() {
            for bits in [0x01, 0xff] {
                damaged[at] ^= bits;
                if let Some((floats, bytes)) = read(&damaged) {
                    assert!(floats.is_none() || floats == expected.0, "byte {at}");
                    assert!(bytes.is_none() || bytes == expected.1, "byte {at}");
                }
                damaged[at] ^= bits;
            }
        }
    }
}

#[test]
fn reads_what_it_writes() {
    let floats = [[[1.5_f32, -2.0], [f32::INFINITY, 0.0]]; 3];
    let flags = [[true, false, true]];
    let file = NpzWriter::new()
        .array("floats", &floats)
        .array("doubles", &[0.1_f64])
        .array("int32", &[i32::MIN])
        .array("int64", &[i64::MAX])
        .array("bytes", &[255_u8; 1000])
        .array("flags", &flags)
        .array::<[f32; 7]>("empty", &[])
        .finish();
    let npz = Npz::new(&file).unwrap();
    let names = ["bytes", "doubles", "empty", "flags", "floats", "int32", "int64"];
    assert!(npz.names().eq(names));
    assert_eq!(npz.rows::<[[f32; 2]; 2]>("floats").unwrap(), floats);
    assert_eq!(npz.rows::<f64>("doubles").unwrap(), [0.1]);
    assert_eq!(npz.rows::<i32>("int32").unwrap(), [i32::MIN]);
    assert_eq!(npz.rows::<i64>("int64").unwrap(), [i64::MAX]);
    assert_eq!(npz.rows::<u8>("bytes").unwrap(), [255; 1000]);
    assert_eq!(npz.rows::<[bool; 3]>("flags").unwrap(), flags);
    assert_eq!(npz.rows::<[f32; 7]>("empty").unwrap(), [[0.0; 7]; 0]);
}
