//! As much of Rust's grammar as finding paths takes: comments and literals are dropped, and what is
//! left is cut into words and punctuation.

/// Words and punctuation, without comments and literals. `::` is one token.
pub fn tokens(text: &str) -> Vec<String> {
    let bytes: Vec<char> = text.chars().collect();
    let at = |i: usize| bytes.get(i).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < bytes.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = end_of_comment(&bytes, i);
        } else if c == '"' {
            i = end_of_string(&bytes, i);
        } else if c == '\'' {
            i = end_of_quote(&bytes, i);
        } else if c.is_alphanumeric() || c == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            let word: String = bytes[start..i].iter().collect();
            match (word.as_str(), at(i)) {
                ("r" | "br" | "cr", '"' | '#') if is_raw_string(&bytes, i) => {
                    i = end_of_raw_string(&bytes, i);
                }
                ("b" | "c", '"') => i = end_of_string(&bytes, i),
                ("b", '\'') => i = end_of_quote(&bytes, i),
                _ => tokens.push(word),
            }
        } else if c == ':' && at(i + 1) == ':' {
            tokens.push("::".to_owned());
            i += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    tokens
}

fn end_of_comment(text: &[char], start: usize) -> usize {
    let (mut i, mut depth) = (start, 0);
    while i < text.len() {
        match text[i..] {
            ['/', '*', ..] => (i, depth) = (i + 2, depth + 1),
            ['*', '/', ..] => (i, depth) = (i + 2, depth - 1),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn end_of_string(text: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn is_raw_string(text: &[char], start: usize) -> bool {
    text[start..].iter().find(|c| **c != '#') == Some(&'"')
}

fn end_of_raw_string(text: &[char], start: usize) -> usize {
    let hashes = text[start..].iter().take_while(|c| **c == '#').count();
    let end: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let body = start + hashes + 1;
    let length = text[body..]
        .windows(end.len())
        .position(|window| window == end);
    length.map_or(text.len(), |length| body + length + end.len())
}

/// The end of a character literal, or of the tick of a lifetime.
fn end_of_quote(text: &[char], start: usize) -> usize {
    match text[start + 1..] {
        ['\\', _, ..] => {
            let close = text[start + 3..].iter().position(|c| *c == '\'');
            close.map_or(text.len(), |close| start + 4 + close)
        }
        [_, '\'', ..] => start + 3,
        _ => start + 1,
    }
}

/// Every path of two words or more, in `use` lines and elsewhere, groups spread out.
pub fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let starts = is_word(&tokens[i]) && tokens.get(i + 1).is_some_and(|t| t == "::");
        if starts {
            i = spread(tokens, i, &[], &mut paths);
        } else if tokens[i] == "use" && tokens.get(i + 1).is_some_and(|t| is_word(t)) {
            i = spread(tokens, i + 1, &[], &mut paths);
        } else {
            i += 1;
        }
    }
    paths
}

/// Reads a path, or a tree of paths, from `i` on; answers where it ends.
fn spread(
    tokens: &[String],
    mut i: usize,
    above: &[String],
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = above.to_vec();
    while let Some(token) = tokens.get(i) {
        if token == "{" {
            i += 1;
            while tokens.get(i).is_some_and(|token| token != "}") {
                i = spread(tokens, i, &path, paths);
                while tokens
                    .get(i)
                    .is_some_and(|token| token != "," && token != "}")
                {
                    i += 1;
                }
                i += usize::from(tokens.get(i).is_some_and(|token| token == ","));
            }
            return i + 1;
        }
        if !is_word(token) && token != "*" {
            break;
        }
        path.push(token.clone());
        i += 1;
        if tokens.get(i).is_none_or(|token| token != "::") {
            break;
        }
        i += 1;
    }
    paths.push(path);
    i
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens without blocks that are compiled for tests only.
pub fn without_tests(tokens: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut left = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let marked = tokens[i..].iter().take(MARK.len()).eq(MARK);
        if marked {
            while i < tokens.len() && tokens[i] != "{" && tokens[i] != ";" {
                i += 1;
            }
            let mut depth = 0;
            while i < tokens.len() {
                match tokens[i].as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                i += 1;
                if depth == 0 {
                    break;
                }
            }
        } else {
            left.push(tokens[i].clone());
            i += 1;
        }
    }
    left
}
