//! Vocabularies against a map of the standard library, and text in npz files.
#![cfg(feature = "pack")]

use std::collections::HashMap;

use tf_layers::npz::{Npz, NpzWriter};
use tf_layers::zerocopy::FromZeros;
use tf_layers::{Hash, InputError, Tokenizer, UnknownWord, Vocabulary, ops};

/// A vocabulary of these words, whose numbers are 10, 20, ….
fn vocabulary<const WORDS: usize, const BYTES: usize, const ROWS: usize>(
    words: [&str; WORDS],
) -> Box<Vocabulary<WORDS, BYTES, ROWS>> {
    let mut end = 0;
    let ends = words.map(|word| {
        end += word.len() as i64;
        end
    });
    let mut number = 0;
    let numbers = words.map(|_| {
        number += 10;
        number
    });
    let mut vocabulary = Vocabulary::new_box_zeroed().unwrap();
    vocabulary.pack(words.concat().as_bytes().try_into().unwrap(), &ends, &numbers);
    vocabulary
}

#[test]
fn finds_every_word_and_no_other() {
    let words: [String; 500] = std::array::from_fn(|i| format!("word {}", i * i));
    let bytes: usize = words.iter().map(String::len).sum();
    assert_eq!(bytes, 5037);
    let vocabulary = vocabulary::<500, 5037, 237>(words.each_ref().map(String::as_str));
    let known: HashMap<&str, i64> =
        words.iter().zip(1..).map(|(word, i)| (word.as_str(), 10 * i)).collect();
    let others: Vec<String> = (0..5000).map(|i| format!("word {i}")).collect();
    let x: Vec<&str> = others.iter().map(String::as_str).chain(["", "word", "word 00"]).collect();
    let mut y = vec![7; x.len() + 1];
    let numbers: &[i64] = vocabulary.apply(&x, UnknownWord::Number(-1), &mut y);
    for (word, number) in x.iter().zip(numbers) {
        assert_eq!(number, known.get(word).unwrap_or(&-1), "{word}");
    }
}

#[test]
fn names_the_word_that_is_not_known() {
    let two = vocabulary::<2, 6, 1>(["cat", "the"]);
    let mut y = [7; 6];
    let words = [["the", "cat"], ["cat", "the"], ["cat", "dog"]];
    let known: &[[i64; 2]] = two.apply_known("words", &words[..2], &mut y).unwrap();
    assert_eq!(known, [[20, 10], [10, 20]]);
    let error = two.apply_known::<_, [i64; 2]>("words", &words, &mut y).unwrap_err();
    let value = "dog".to_owned();
    assert_eq!(error, InputError::Unknown { name: "words", sample: 2, position: 1, value });
}

#[test]
fn words_may_be_empty_or_alone() {
    let one = vocabulary::<1, 0, 1>([""]);
    let mut y = [7; 2];
    let numbers: &[[i64; 2]] = one.apply(&[["", "a"]], UnknownWord::Number(-1), &mut y);
    assert_eq!(numbers, [[10, -1]]);
    let empty: &[[i64; 2]] = one.apply::<[&str; 2], _>(&[], UnknownWord::Number(-1), &mut y);
    assert_eq!(empty, [[0; 2]; 0]);
}

#[test]
fn unknown_words_are_hashed() {
    let one = vocabulary::<1, 1, 1>(["b"]);
    let hash = Hash::fast(7);
    let mut y = [0; 3];
    let x = ["the cat", "b", "a"];
    let numbers: &[i64] = one.apply(&x, UnknownWord::Hash { hash, first: 100 }, &mut y);
    assert_eq!(numbers, [103, 10, 105]);
}

#[test]
fn texts_become_sequences_and_counts() {
    let words = vocabulary::<3, 6, 2>(["b", "the", "ä"]);
    let tokenizer = Tokenizer::words().lower().without_punctuation();
    let x = [["The B, b! ä x y"], [" "], ["B"]];
    let mut scratch = [7; 15];
    let y: &[[i64; 5]] = words.sequence(&x, tokenizer, -1, &mut scratch);
    assert_eq!(y, [[20, 10, 10, 30, -1], [0; 5], [10, 0, 0, 0, 0]]);
    let mut scratch = [7; 70];
    let y: &[[i64; 21]] = words.counts(&x, tokenizer, 0, &mut scratch);
    assert_eq!((y[0][0], y[0][10], y[0][20]), (2, 2, 1));
    assert_eq!(y.iter().map(|y| y.iter().sum()).collect::<Vec<i64>>(), [5, 0, 1]);
    let y: &[[i64; 21]] = words.multi_hot(&x, tokenizer, -1, &mut scratch);
    assert_eq!((y[0][0], y[0][10], y[0][20]), (0, 1, 1));
}

#[test]
fn nothing_allocates() {
    let words = vocabulary::<2, 4, 1>(["the", "b"]);
    let tokenizer = Tokenizer::words().lower().without_punctuation().ngrams(&[1, 2]);
    let mut y = [0; 40];
    let counted = allocation_counter::measure(|| {
        let x = [["The B of the\u{e4}, b"]; 2];
        let _: &[[i64; 20]] = words.sequence(&x, tokenizer, -1, &mut y);
        let _: &[[i64; 20]] = words.counts(&x, tokenizer, -1, &mut y);
        let _: &[[i64; 1]] = words.apply(&x, UnknownWord::Number(-1), &mut y);
        let _: &[[i64; 1]] = ops::hash_text(&x, Hash::strong([1, 2], 9), &mut y);
        let _: &[i64] = ops::hash_integers(&[i64::MIN, 7], Hash::fast(9), &mut y);
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn numbers_below_0_are_not_counted() {
    let mut y = [0.0_f32; 4];
    let error = ops::bincount::<_, [f32; 2]>("x", &[[0, 1, 1], [0, -4, 1]], &mut y).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`x` of sample 1 holds -4 at position 1, not in {:?}", 0..i64::MAX)
    );
    let y: &[[f32; 2]] = ops::multi_hot("x", &[[0, 1, 1], [1, 9, 1]], &mut y).unwrap();
    assert_eq!(y, [[1.0, 1.0], [0.0, 1.0]]);
}

#[test]
fn reads_strings_of_numpy() {
    let npz = Npz::new(include_bytes!("data/text.npz")).unwrap();
    let expected = [["", "a"], ["Käse 😀", "b c"], ["x", ""]];
    for name in ["bytes", "unicode", "big_endian", "fortran"] {
        assert_eq!(npz.texts::<[&str; 2]>(name).unwrap(), expected, "{name}");
    }
    assert_eq!(npz.texts::<&str>("column").unwrap(), ["one", "two"]);
    assert_eq!(npz.texts::<[&str; 1]>("column").unwrap(), [["one"], ["two"]]);
    assert_eq!(npz.texts::<&str>("empty").unwrap(), [""; 0]);
    assert_eq!(npz.texts::<&str>("nothing").unwrap(), ["", ""]);
    for (name, message) in [
        ("latin1", "array `latin1` is damaged, or its text is no Unicode"),
        ("numbers", "array `numbers`: expected strings (n,), found \"<i8\" (2,)"),
        ("bytes", "array `bytes`: expected strings (n,), found \"|S10\" (3, 2)"),
    ] {
        assert_eq!(npz.texts::<&str>(name).unwrap_err().to_string(), message);
    }
    let written = NpzWriter::new().array("x", &[1_i64]).finish();
    assert!(Npz::new(&written).unwrap().texts::<&str>("x").is_err());
}
