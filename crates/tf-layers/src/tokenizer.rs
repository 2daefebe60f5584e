//! Text as the words that a vocabulary knows.

/// How a string becomes tokens: words, characters or the string itself.
///
/// ```
/// use tf_layers::Tokenizer;
///
/// const WORDS: Tokenizer = Tokenizer::words().lower().without_punctuation().ngrams(&[1, 2]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tokenizer {
    split: Split,
    is_lower: bool,
    /// A bit for each character that is left out.
    removed: u128,
    ngrams: &'static [usize],
}

#[derive(Clone, Copy, Debug)]
enum Split {
    Whole,
    Words,
    Characters,
}

impl Tokenizer {
    /// The string as it is.
    pub const fn whole() -> Self {
        Self { split: Split::Whole, is_lower: false, removed: 0, ngrams: &[1] }
    }

    /// What stands between white space.
    pub const fn words() -> Self {
        Self { split: Split::Words, ..Self::whole() }
    }

    /// Each character by itself.
    pub const fn characters() -> Self {
        Self { split: Split::Characters, ..Self::whole() }
    }

    /// With letters from `A` to `Z` in lower case, as `tf.strings.lower` writes them.
    pub const fn lower(self) -> Self {
        Self { is_lower: true, ..self }
    }

    /// Without these characters; they are looked for once letters are in lower case.
    ///
    /// # Panics
    /// If one is not ASCII.
    pub const fn without(self, characters: &str) -> Self {
        let mut removed = self.removed;
        let (bytes, mut i) = (characters.as_bytes(), 0);
        while i < bytes.len() {
            assert!(bytes[i].is_ascii(), "only ASCII characters are left out");
            removed |= 1 << bytes[i];
            i += 1;
        }
        Self { removed, ..self }
    }

    /// Without what Keras strips as punctuation: all ASCII characters but letters, digits and white
    /// space.
    pub const fn without_punctuation(self) -> Self {
        self.without(r##"!"#$%&()*+,-./:;<=>?@[\]^_`{|}~'"##)
    }

    /// For each of these sizes, as many tokens that follow each other, with spaces between.
    pub const fn ngrams(self, sizes: &'static [usize]) -> Self {
        Self { ngrams: sizes, ..self }
    }

    /// Calls `read` with the bytes of every token of the strings together, in order.
    pub(crate) fn for_each(self, texts: &[&str], mut read: impl FnMut(Token<'_>)) {
        let pieces = Pieces { tokenizer: self, texts, current: None };
        for &size in self.ngrams {
            let mut first = pieces.clone();
            while let Some(last) = size.checked_sub(1) {
                if first.clone().nth(last).is_none() {
                    break;
                }
                read(Token { pieces: first.clone(), left: size, piece: None });
                first.next();
            }
        }
    }
}

/// The bytes of a string, without those that are left out.
#[derive(Clone)]
struct Bytes<'a> {
    text: std::slice::Iter<'a, u8>,
    is_lower: bool,
    removed: u128,
}

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.next()?;
            let byte = if self.is_lower { byte.to_ascii_lowercase() } else { byte };
            if !byte.is_ascii() || self.removed >> byte & 1 == 0 {
                return Some(byte);
            }
        }
    }
}

/// A token of one word or character: the first of these bytes.
type Piece<'a> = std::iter::Take<Bytes<'a>>;

/// The pieces of some strings.
#[derive(Clone)]
struct Pieces<'a> {
    tokenizer: Tokenizer,
    texts: &'a [&'a str],
    /// What is left of a string.
    current: Option<Bytes<'a>>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            let bytes = match &mut self.current {
                Some(bytes) => bytes,
                None => {
                    let (text, texts) = self.texts.split_first()?;
                    self.texts = texts;
                    let Tokenizer { is_lower, removed, .. } = self.tokenizer;
                    self.current.insert(Bytes { text: text.as_bytes().iter(), is_lower, removed })
                }
            };
            let piece = match self.tokenizer.split {
                Split::Whole => Some(bytes.clone().take(usize::MAX)),
                Split::Words => next_word(bytes),
                Split::Characters => next_character(bytes),
            };
            if piece.is_none() || matches!(self.tokenizer.split, Split::Whole) {
                self.current = None;
            }
            if piece.is_some() {
                return piece;
            }
        }
    }
}

/// The white space of C, as TensorFlow splits at it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn next_word<'a>(bytes: &mut Bytes<'a>) -> Option<Piece<'a>> {
    loop {
        let start = bytes.clone();
        if !is_space(bytes.next()?) {
            let rest = bytes.by_ref().take_while(|&byte| !is_space(byte)).count();
            return Some(start.take(1 + rest));
        }
    }
}

fn next_character<'a>(bytes: &mut Bytes<'a>) -> Option<Piece<'a>> {
    let start = bytes.clone();
    let len = match bytes.next()? {
        ..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    };
    for _ in 1..len {
        bytes.next();
    }
    Some(start.take(len))
}

/// The bytes of pieces that follow each other, with spaces between.
#[derive(Clone)]
pub struct Token<'a> {
    pieces: Pieces<'a>,
    left: usize,
    piece: Option<Piece<'a>>,
}

impl Iterator for Token<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            if let Some(byte) = self.piece.as_mut().and_then(Iterator::next) {
                return Some(byte);
            }
            self.left = self.left.checked_sub(1)?;
            let had_one = self.piece.is_some();
            self.piece = self.pieces.next();
            if had_one {
                return Some(b' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(tokenizer: Tokenizer, texts: &[&str]) -> Vec<String> {
        let mut tokens = Vec::new();
        tokenizer.for_each(texts, |token| tokens.push(String::from_utf8(token.collect()).unwrap()));
        tokens
    }

    #[test]
    fn finds_words() {
        let words = Tokenizer::words();
        assert_eq!(tokens(words, &[""]), [""; 0]);
        assert_eq!(tokens(words, &[" \t\n\u{b}\u{c}\r"]), [""; 0]);
        assert_eq!(tokens(words, &["one", " Two  thrée\u{a0}4\n"]), ["one", "Two", "thrée\u{a0}4"]);
        assert_eq!(tokens(words.lower().without_punctuation(), &["A-B ! ÄC"]), ["ab", "Äc"]);
    }

    #[test]
    fn finds_characters_and_wholes() {
        assert_eq!(
            tokens(Tokenizer::characters().without("!"), &["aé!€😀 "]),
            ["a", "é", "€", "😀", " "]
        );
        assert_eq!(tokens(Tokenizer::whole().lower(), &["", "A b"]), ["", "a b"]);
    }

    #[test]
    fn joins_tokens() {
        let words = Tokenizer::words().ngrams(&[1, 3, 2]);
        assert_eq!(
            tokens(words, &["a b c d"]),
            ["a", "b", "c", "d", "a b c", "b c d", "a b", "b c", "c d"]
        );
        assert_eq!(tokens(Tokenizer::words().ngrams(&[2]), &["a"]), [""; 0]);
        assert_eq!(tokens(Tokenizer::whole().ngrams(&[2]), &["", "", "x"]), [" ", " x"]);
    }
}
