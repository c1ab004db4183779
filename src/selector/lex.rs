//! Selector text into tokens.
//!
//! Works byte by byte: every byte with a meaning is ASCII, so the pieces in between are whole
//! characters. Tokens cannot fail; whether a word is a legal key or value is asked later.

/// A piece of selector text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    /// The piece itself; empty at the end of the text and where a value was left out.
    pub(super) text: &'a str,
    /// Where the piece starts, in bytes from the start of the text.
    pub(super) offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Anything that is not one of the others, `in` and `notin` included: only the parser knows
    /// where these are operators.
    Word,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    GreaterThan,
    LessThan,
    Open,
    Close,
    Comma,
    End,
}

/// Reads tokens; at the end of the text, [`TokenKind::End`] over and over.
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, position: 0 }
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let start = self.end_of_run(self.position, is_blank);
        let (kind, end) = match (self.byte(start), self.byte(start + 1)) {
            // A NUL in place of a token ends the text; staying before it makes that lasting.
            (None | Some(0), _) => (TokenKind::End, start),
            (Some(b'='), Some(b'=')) => (TokenKind::DoubleEquals, start + 2),
            (Some(b'!'), Some(b'=')) => (TokenKind::NotEquals, start + 2),
            (Some(b'='), _) => (TokenKind::Equals, start + 1),
            (Some(b'!'), _) => (TokenKind::Not, start + 1),
            (Some(b'>'), _) => (TokenKind::GreaterThan, start + 1),
            (Some(b'<'), _) => (TokenKind::LessThan, start + 1),
            (Some(b'('), _) => (TokenKind::Open, start + 1),
            (Some(b')'), _) => (TokenKind::Close, start + 1),
            (Some(b','), _) => (TokenKind::Comma, start + 1),
            (Some(_), _) => (TokenKind::Word, self.end_of_run(start, is_word)),
        };
        // A NUL directly behind a token is skipped, as Kubernetes does: it separates two words.
        let swallowed = kind != TokenKind::End && self.byte(end) == Some(0);
        self.position = if swallowed { end + 1 } else { end };
        Token {
            kind,
            text: self.text.get(start..end).unwrap_or_default(),
            offset: start,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Where the run of bytes that are `inside` ends which starts at `from`.
    fn end_of_run(&self, from: usize, inside: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !inside(byte));
        from + length.unwrap_or(rest.len())
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_word(byte: u8) -> bool {
    let special = matches!(byte, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<');
    !special && !is_blank(byte) && byte != 0
}
