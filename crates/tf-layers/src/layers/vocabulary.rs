use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::panels::{Row, numbers};
use crate::ops::Hash;
use crate::{InputError, Tensor, Text, Tokenizer};

/// Numbers of words: `WORDS` of them, of `BYTES` bytes together.
///
/// `ROWS` is ceil((12·`WORDS` + 4·slots + `BYTES`) / 64), where the slots are the first power of
/// two that is at least 2·`WORDS`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Vocabulary<const WORDS: usize, const BYTES: usize, const ROWS: usize>([Row; ROWS]);

/// What stands for a word that the vocabulary does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownWord {
    Number(i64),
    /// The bucket of the hash, counted from `first`.
    Hash {
        hash: Hash,
        first: i64,
    },
}

/// A hash table. `numbers` and `ends` are of the words in their order, and so are their `bytes`,
/// without gaps; a slot is free, 0, or the place of a word in that order, counted from 1.
struct Table<'a> {
    numbers: &'a [i64],
    slots: &'a [u32],
    ends: &'a [u32],
    bytes: &'a [u8],
}

impl<const WORDS: usize, const BYTES: usize, const ROWS: usize> Vocabulary<WORDS, BYTES, ROWS> {
    const SLOTS: usize = (2 * WORDS).next_power_of_two();
    const CHECKED: () = assert!(
        ROWS == (12 * WORDS + 4 * Self::SLOTS + BYTES).div_ceil(size_of::<Row>())
            && WORDS < 1 << 30
            && BYTES <= u32::MAX as usize,
        "ROWS of Vocabulary"
    );

    /// The number of each string.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        x: &[X],
        unknown: UnknownWord,
        y: &'y mut [i64],
    ) -> &'y mut [Y] {
        const { assert!(Y::LEN == X::LEN, "the shape of y") };
        let table = self.table();
        let y = &mut y[..x.len() * X::LEN];
        for (text, y) in X::flat(x).iter().zip(&mut *y) {
            let bytes = text.as_bytes();
            *y = match (table.find(bytes.iter().copied()), unknown) {
                (Some(number), _) | (None, UnknownWord::Number(number)) => number,
                (None, UnknownWord::Hash { hash, first }) => first + hash.bucket(bytes),
            };
        }
        Y::batch_mut(y)
    }

    /// The number of each string, whose errors call them `name`: all have to be words that it has.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply_known<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        name: &'static str,
        x: &[X],
        y: &'y mut [i64],
    ) -> Result<&'y mut [Y], InputError> {
        const { assert!(Y::LEN == X::LEN, "the shape of y") };
        let table = self.table();
        let y = &mut y[..x.len() * X::LEN];
        for (i, (text, y)) in X::flat(x).iter().zip(&mut *y).enumerate() {
            *y = table
                .find(text.as_bytes().iter().copied())
                .ok_or_else(|| InputError::unknown(name, i, X::LEN, (*text).to_owned()))?;
        }
        Ok(Y::batch_mut(y))
    }

    /// The numbers of the tokens of each sample, as many as there is room for; zeros fill the rest.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn sequence<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        x: &[X],
        tokenizer: Tokenizer,
        unknown: i64,
        y: &'y mut [i64],
    ) -> &'y mut [Y] {
        self.each_sample(x, tokenizer, unknown, y, |place, number, y: &mut [i64]| {
            if let Some(y) = y.get_mut(place) {
                *y = number;
            }
        })
    }

    /// How often each number is that of a token of the sample. Numbers from the length of a `Y` on
    /// are not counted.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn counts<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        x: &[X],
        tokenizer: Tokenizer,
        unknown: i64,
        y: &'y mut [i64],
    ) -> &'y mut [Y] {
        self.each_sample(x, tokenizer, unknown, y, |_, number, y: &mut [i64]| {
            if let Some(y) = usize::try_from(number).ok().and_then(|number| y.get_mut(number)) {
                *y += 1;
            }
        })
    }

    /// As [`Vocabulary::counts`], but 1 where a number is there at all.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn multi_hot<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        x: &[X],
        tokenizer: Tokenizer,
        unknown: i64,
        y: &'y mut [i64],
    ) -> &'y mut [Y] {
        self.each_sample(x, tokenizer, unknown, y, |_, number, y: &mut [i64]| {
            if let Some(y) = usize::try_from(number).ok().and_then(|number| y.get_mut(number)) {
                *y = 1;
            }
        })
    }

    /// Calls `write` with the place and number of every token, and the numbers of its sample, which
    /// begin as zeros.
    fn each_sample<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
        &self,
        x: &[X],
        tokenizer: Tokenizer,
        unknown: i64,
        y: &'y mut [i64],
        write: impl Fn(usize, i64, &mut [i64]),
    ) -> &'y mut [Y] {
        let table = self.table();
        let y = &mut y[..x.len() * Y::LEN];
        y.fill(0);
        let texts = X::flat(x).chunks_exact(X::LEN);
        for (texts, y) in texts.zip(y.chunks_exact_mut(Y::LEN)) {
            let mut place = 0;
            tokenizer.for_each(texts, |token| {
                write(place, table.find(token).unwrap_or(unknown), y);
                place += 1;
            });
        }
        Y::batch_mut(y)
    }

    fn table(&self) -> Table<'_> {
        const { Self::CHECKED };
        let (start, slots) = (2 * WORDS, Self::SLOTS);
        let words: &[u32] = numbers(&self.0);
        Table {
            numbers: &numbers(&self.0)[..WORDS],
            slots: &words[start..][..slots],
            ends: &words[start + slots..][..WORDS],
            bytes: &numbers(&self.0)[4 * (start + slots + WORDS)..][..BYTES],
        }
    }

    /// Takes the words: all their bytes, where each ends, and their numbers.
    ///
    /// # Panics
    /// If the ends do not ascend up to `BYTES`.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, bytes: &[u8; BYTES], ends: &[i64; WORDS], numbers: &[i64; WORDS]) {
        use crate::kernels::panels::numbers_mut;

        const { Self::CHECKED };
        let (start, slots) = (2 * WORDS, Self::SLOTS);
        numbers_mut(&mut self.0)[..WORDS].copy_from_slice(numbers);
        numbers_mut(&mut self.0)[4 * (start + slots + WORDS)..][..BYTES].copy_from_slice(bytes);
        let words: &mut [u32] = &mut numbers_mut(&mut self.0)[start..][..slots + WORDS];
        let (table, packed_ends) = words.split_at_mut(slots);
        table.fill(0);
        let mut begin = 0;
        for (place, &end) in ends.iter().enumerate() {
            let end = usize::try_from(end).expect("words end in their bytes");
            packed_ends[place] = end as u32;
            let mut slot = first_slot(bytes[begin..end].iter().copied(), slots);
            while table[slot] != 0 {
                slot = (slot + 1) % slots;
            }
            table[slot] = place as u32 + 1;
            begin = end;
        }
    }
}

impl Table<'_> {
    /// The number of a word, if the vocabulary has it.
    fn find(&self, word: impl Iterator<Item = u8> + Clone) -> Option<i64> {
        let mut slot = first_slot(word.clone(), self.slots.len());
        loop {
            let place = (self.slots[slot] as usize).checked_sub(1)?;
            let begin = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
            let known = &self.bytes[begin..self.ends[place] as usize];
            if word.clone().eq(known.iter().copied()) {
                return Some(self.numbers[place]);
            }
            slot = (slot + 1) % self.slots.len();
        }
    }
}

/// Where a word is looked for first: by FNV-1a (Glenn Fowler, Landon Curt Noll, Phong Vo), which
/// takes a byte at a time. The number of slots is a power of two.
fn first_slot(word: impl Iterator<Item = u8>, slots: usize) -> usize {
    let hash = word.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ hash >> 32) as usize & (slots - 1)
}
