//! The string form.

use super::*;

/// Texts and how they print once read.
const READ: &[(&str, &str)] = &[
    // Nothing asked.
    ("", ""),
    (" \t\r\n", ""),
    // One requirement of each form.
    ("a", "a"),
    ("!a", "!a"),
    ("! a", "!a"),
    ("a=b", "a=b"),
    ("a==b", "a==b"),
    ("a!=b", "a!=b"),
    ("a in (b)", "a in (b)"),
    ("a notin (b)", "a notin (b)"),
    ("a>1", "a>1"),
    ("a<1", "a<1"),
    ("example.com/Tier=Web_1.0", "example.com/Tier=Web_1.0"),
    // Blanks may stand between any two tokens, and be left out where a special byte separates.
    ("\ta \r= \n b , c ", "a=b,c"),
    ("a in(b)", "a in (b)"),
    ("a  notin\n( b , c )", "a notin (b,c)"),
    // The longest operator is taken.
    ("a=", "a="),
    ("a==", "a=="),
    ("a!=", "a!="),
    // A value may be missing before a comma and at the end.
    ("a=,b", "a=,b"),
    ("a== ,b", "a==,b"),
    ("a!=,b", "a!=,b"),
    // Sets: each empty position is the empty value; repetitions collapse; values are sorted.
    ("a in ()", "a in ()"),
    ("a in ( )", "a in ()"),
    ("a in (,)", "a in ()"),
    ("a in (,,,)", "a in ()"),
    ("a in (b,)", "a in (,b)"),
    ("a in (,b)", "a in (,b)"),
    ("a in (b,,c)", "a in (,b,c)"),
    ("a in (b,,)", "a in (,b)"),
    ("a notin (c,b,c,a)", "a notin (a,b,c)"),
    ("a in (b,B,1,a-b,a.b)", "a in (1,B,a-b,a.b,b)"),
    // `in` and `notin` are operators only behind a key.
    ("in", "in"),
    ("!notin", "!notin"),
    ("in in (in,notin)", "in in (in,notin)"),
    ("notin notin (in)", "notin notin (in)"),
    ("a=in", "a=in"),
    ("a!=notin,in=a", "a!=notin,in=a"),
    // So are words that other query languages reserve.
    ("exists,or=and", "exists,or=and"),
    // Numbers print as typed.
    ("a>007", "a>007"),
    ("a<0", "a<0"),
    ("a>9223372036854775807", "a>9223372036854775807"),
    // `=`, `==` and a one-value `in` stay what they are.
    ("a=1,a==1,a in (1)", "a=1,a==1,a in (1)"),
    // Repeated and contradictory requirements are kept.
    ("a,a,!a", "a,a,!a"),
    // Sorted by key in byte order, the `!` not counting; equal keys keep their order.
    ("c,!b,B,a-b,a.b,a", "B,a,a-b,a.b,!b,c"),
    ("b=2,a,b=1", "a,b=2,b=1"),
    // A NUL in place of a token ends the text; behind a token it is skipped.
    ("\0", ""),
    ("\0)(", ""),
    ("a \0 b", "a"),
    ("a,b\0\0,c=)", "a,b"),
    ("a\0", "a"),
    ("a\0=\0b", "a=b"),
    ("a\0in\0(\0b\0,\0c\0)\0", "a in (b,c)"),
    ("!\0a", "!a"),
];

#[test]
fn texts_read_and_print() {
    for (text, canonical) in READ {
        assert_eq!(parse(text).to_string(), *canonical, "{text:?}");
        assert_eq!(parse(canonical), parse(text), "{text:?}");
        assert_eq!(text.parse(), Ok(parse(text)));
    }
}

#[test]
fn requirements_of_one_key_keep_their_order_however_many_there_are() {
    let numbers: Vec<u32> = (0..20).map(|n| n * 7 % 20).collect();
    let text: String = numbers.iter().map(|n| format!("m={n},b={n},")).collect();
    let of_key = |key| numbers.iter().map(move |n| format!("{key}={n}"));
    let canonical: Vec<String> = of_key("b").chain(of_key("m")).collect();
    assert_eq!(
        parse(text.trim_end_matches(',')).to_string(),
        canonical.join(",")
    );
}
