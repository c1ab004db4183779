//! Selector text into selectors, by recursive descent with one token of look-ahead:
//!
//! ```text
//! selector    = [ requirement { "," requirement } ]
//! requirement = "!" KEY | KEY | KEY compare [ VALUE ] | KEY ( "in" | "notin" ) "(" set ")"
//! compare     = "=" | "==" | "!=" | ">" | "<"
//! set         = [ VALUE ] { "," [ VALUE ] }
//! ```

use std::mem;
use std::str::FromStr;

use crate::labels::{Key, Value};

use super::conjunction::Selector;
use super::error::{
    Expected, ParseSelectorError, ParseSelectorErrorCause, ValueFault, ValueFaultCause,
};
use super::lex::{Lexer, Token, TokenKind};
use super::operand::{NotAnInteger, Threshold, ValueSet, integer};
use super::requirement::Requirement;

impl Selector {
    /// Reads a selector as `kubectl -l` takes it. Empty or blank text selects everything.
    ///
    /// Time and memory are linear in the length of the text, but for sorting.
    ///
    /// # Errors
    ///
    /// [`ParseSelectorError`] for the first requirement that is not one, with all that is wrong
    /// with its values.
    pub fn parse(text: &str) -> Result<Selector, ParseSelectorError> {
        Parser::new(text).selector().map(Selector::new)
    }
}

impl FromStr for Selector {
    type Err = ParseSelectorError;

    fn from_str(text: &str) -> Result<Selector, ParseSelectorError> {
        Selector::parse(text)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Token<'a>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        let mut lexer = Lexer::new(text);
        let ahead = lexer.next();
        Parser { lexer, ahead }
    }

    fn next(&mut self) -> Token<'a> {
        mem::replace(&mut self.ahead, self.lexer.next())
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, ParseSelectorError> {
        let mut requirements = Vec::new();
        if self.ahead.kind == TokenKind::End {
            return Ok(requirements);
        }
        let mut expected = Expected::Requirement;
        loop {
            if !matches!(self.ahead.kind, TokenKind::Word | TokenKind::Not) {
                return Err(unexpected(self.ahead, expected));
            }
            requirements.push(self.requirement()?);
            let separator = self.next();
            match separator.kind {
                TokenKind::End => return Ok(requirements),
                TokenKind::Comma => expected = Expected::RequirementAfterComma,
                _ => return Err(unexpected(separator, Expected::CommaOrEnd)),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, ParseSelectorError> {
        let negated = self.ahead.kind == TokenKind::Not;
        if negated {
            self.next();
        }
        let key = self.key()?;
        if negated {
            return Ok(Requirement::DoesNotExist(key));
        }
        if self.at_end_of_requirement() {
            return Ok(Requirement::Exists(key));
        }
        let operator = self.next();
        match (operator.kind, operator.text) {
            (TokenKind::Equals, _) => {
                let value = self.value(&key)?;
                Ok(Requirement::Equals(key, value))
            }
            (TokenKind::DoubleEquals, _) => {
                let value = self.value(&key)?;
                Ok(Requirement::DoubleEquals(key, value))
            }
            (TokenKind::NotEquals, _) => {
                let value = self.value(&key)?;
                Ok(Requirement::NotEquals(key, value))
            }
            (TokenKind::GreaterThan, _) => {
                let bound = self.threshold(&key)?;
                Ok(Requirement::GreaterThan(key, bound))
            }
            (TokenKind::LessThan, _) => {
                let bound = self.threshold(&key)?;
                Ok(Requirement::LessThan(key, bound))
            }
            (TokenKind::Word, "in") => {
                let values = self.value_set(&key)?;
                Ok(Requirement::In(key, values))
            }
            (TokenKind::Word, "notin") => {
                let values = self.value_set(&key)?;
                Ok(Requirement::NotIn(key, values))
            }
            _ => Err(unexpected(operator, Expected::Operator)),
        }
    }

    fn at_end_of_requirement(&self) -> bool {
        matches!(self.ahead.kind, TokenKind::Comma | TokenKind::End)
    }

    fn key(&mut self) -> Result<Key, ParseSelectorError> {
        let word = self.next();
        if word.kind != TokenKind::Word {
            return Err(unexpected(word, Expected::Key));
        }
        Key::new(word.text).map_err(|error| refused(word, ParseSelectorErrorCause::Key(error)))
    }

    /// The word after a comparison; left out, it is empty.
    fn operand(&mut self) -> Result<Token<'a>, ParseSelectorError> {
        if self.at_end_of_requirement() {
            return Ok(empty_before(self.ahead));
        }
        let word = self.next();
        if word.kind != TokenKind::Word {
            return Err(unexpected(word, Expected::Value));
        }
        Ok(word)
    }

    fn value(&mut self, key: &Key) -> Result<Value, ParseSelectorError> {
        let word = self.operand()?;
        Value::new(word.text).map_err(|error| {
            let fault = fault(0, word, ValueFaultCause::Value(error));
            refused_values(word, key, vec![fault])
        })
    }

    fn threshold(&mut self, key: &Key) -> Result<Threshold, ParseSelectorError> {
        let word = self.operand()?;
        let not_an_integer = || fault(0, word, ValueFaultCause::NotAnInteger(NotAnInteger));
        let faults = match Value::new(word.text) {
            Ok(value) => match Threshold::new(value) {
                Ok(threshold) => return Ok(threshold),
                Err(NotAnInteger) => vec![not_an_integer()],
            },
            Err(error) => {
                let mut faults = Vec::new();
                // A signed number is an integer, and refused only for what labels may not hold.
                if integer(word.text).is_none() {
                    faults.push(not_an_integer());
                }
                faults.push(fault(0, word, ValueFaultCause::Value(error)));
                faults
            }
        };
        Err(refused_values(word, key, faults))
    }

    fn value_set(&mut self, key: &Key) -> Result<ValueSet, ParseSelectorError> {
        let mut members = self.members()?;
        // Faults are numbered by place in the sorted set, as Kubernetes numbers them. The sort is
        // stable, so of equal words the first in the text stays.
        members.sort_by_key(|member| member.text);
        members.dedup_by_key(|member| member.text);
        let mut values = Vec::with_capacity(members.len());
        let mut faults = Vec::new();
        let mut first_refused = None;
        for (index, &member) in members.iter().enumerate() {
            match Value::new(member.text) {
                Ok(value) => values.push(value),
                Err(error) => {
                    first_refused.get_or_insert(member);
                    faults.push(fault(index, member, ValueFaultCause::Value(error)));
                }
            }
        }
        match first_refused {
            Some(member) => Err(refused_values(member, key, faults)),
            None => ValueSet::new(values).ok_or_else(|| unexpected(self.ahead, Expected::Member)),
        }
    }

    /// The members of a parenthesized set, at least one, since an empty position is the empty
    /// value. Only the first empty position is kept: a text of nothing but commas would otherwise
    /// take many times its length in tokens.
    fn members(&mut self) -> Result<Vec<Token<'a>>, ParseSelectorError> {
        let open = self.next();
        if open.kind != TokenKind::Open {
            return Err(unexpected(open, Expected::OpenParenthesis));
        }
        let mut members = Vec::new();
        let mut has_empty = false;
        loop {
            match self.ahead.kind {
                TokenKind::Word => members.push(self.next()),
                TokenKind::Comma | TokenKind::Close => {
                    if !has_empty {
                        members.push(empty_before(self.ahead));
                    }
                    has_empty = true;
                }
                _ => return Err(unexpected(self.ahead, Expected::Member)),
            }
            let separator = self.next();
            match separator.kind {
                TokenKind::Comma => {}
                TokenKind::Close => return Ok(members),
                _ => return Err(unexpected(separator, Expected::CommaOrCloseParenthesis)),
            }
        }
    }
}

/// The word that was left out in front of `token`.
fn empty_before(token: Token<'_>) -> Token<'_> {
    Token {
        kind: TokenKind::Word,
        text: "",
        offset: token.offset,
    }
}

fn unexpected(token: Token<'_>, expected: Expected) -> ParseSelectorError {
    refused(token, ParseSelectorErrorCause::Unexpected(expected))
}

fn refused(token: Token<'_>, cause: ParseSelectorErrorCause) -> ParseSelectorError {
    ParseSelectorError::new(token.offset, token.text, cause)
}

fn refused_values(token: Token<'_>, key: &Key, faults: Vec<ValueFault>) -> ParseSelectorError {
    let key = key.clone();
    refused(token, ParseSelectorErrorCause::Values { key, faults })
}

fn fault(index: usize, word: Token<'_>, cause: ValueFaultCause) -> ValueFault {
    ValueFault {
        index,
        offset: word.offset,
        text: word.text.to_owned(),
        cause,
    }
}
