//! Texts that are not selectors: where the fault is seen, and how it is told.

use super::*;

/// A text, the offset and text of its offending token, and what may stand there instead.
type Row = (&'static str, usize, &'static str, &'static str);

const BETWEEN_REQUIREMENTS: &[Row] = &[
    (",", 0, ",", "!, key, or end of text"),
    (" )", 1, ")", "!, key, or end of text"),
    ("=a", 0, "=", "!, key, or end of text"),
    ("!=a", 0, "!=", "!, key, or end of text"),
    ("a,", 2, "", "! or key after ','"),
    ("a, ", 3, "", "! or key after ','"),
    ("a,,b", 2, ",", "! or key after ','"),
    ("a,b,", 4, "", "! or key after ','"),
    ("a,(", 2, "(", "! or key after ','"),
    ("a=b c", 4, "c", "',' or end of text"),
    ("a=b=c", 3, "=", "',' or end of text"),
    ("a in (b) in (c)", 9, "in", "',' or end of text"),
    ("a in (b))", 8, ")", "',' or end of text"),
    // A negated key stands alone.
    ("!a=b", 2, "=", "',' or end of text"),
    ("!a in (b)", 3, "in", "',' or end of text"),
    ("!a b", 3, "b", "',' or end of text"),
];

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

const WITHIN_REQUIREMENT: &[Row] = &[
    ("!", 1, "", "key"),
    ("!,a", 1, ",", "key"),
    ("!!a", 1, "!", "key"),
    ("a b", 2, "b", OPERATORS),
    ("a!", 1, "!", OPERATORS),
    ("a(b)", 1, "(", OPERATORS),
    ("a\0b", 2, "b", OPERATORS),
    ("a In (b)", 2, "In", OPERATORS),
    ("a NOTIN (b)", 2, "NOTIN", OPERATORS),
    ("a exists", 2, "exists", OPERATORS),
    ("a gt 1", 2, "gt", OPERATORS),
    ("a lt 1", 2, "lt", OPERATORS),
    ("a in", 4, "", "'('"),
    ("a in b", 5, "b", "'('"),
    ("a notin,b", 7, ",", "'('"),
    ("a in (", 6, "", "value, ',' or ')'"),
    ("a in (b,", 8, "", "value, ',' or ')'"),
    ("a in (!b)", 6, "!", "value, ',' or ')'"),
    ("a in (b c)", 8, "c", "',' or ')'"),
    ("a in (b", 7, "", "',' or ')'"),
    ("a in (b\0\0)", 8, "", "',' or ')'"),
    ("a===b", 3, "=", "value"),
    ("a=!b", 2, "!", "value"),
    ("a=(b)", 2, "(", "value"),
    ("a>=1", 2, "=", "value"),
    ("a<=1", 2, "=", "value"),
    ("a<>1", 2, ">", "value"),
];

/// Texts with a word that may stand where it does and is no key, value or number, and where
/// the message says that it is.
const BAD_WORDS: &[Row] = &[
    // Keys, which are checked before anything behind them.
    ("a_=b", 0, "a_", "key"),
    ("x,!/b", 3, "/b", "key"),
    ("a/b/c in (", 0, "a/b/c", "key"),
    ("'a'=b", 0, "'a'", "key"),
    ("\\a", 0, "\\a", "key"),
    ("a*", 0, "a*", "key"),
    ("a\u{b}=b", 0, "a\u{b}", "key"),
    ("\u{a0}a", 0, "\u{a0}a", "key"),
    // Values.
    ("a=b_", 2, "b_", "values[0][a]"),
    ("a=\"b\"", 2, "\"b\"", "values[0][a]"),
    ("a!=é", 3, "é", "values[0][a]"),
    ("k in (a,b,a,_)", 12, "_", "values[0][k]"),
    ("k in (z_,a)", 6, "z_", "values[1][k]"),
    // Numbers; a sign is no part of a label value, though it is of a number.
    ("a>", 2, "", "values[0]"),
    ("a>,b", 2, "", "values[0]"),
    ("a>x", 2, "x", "values[0]"),
    ("a<0x1", 2, "0x1", "values[0]"),
    ("a<1.5", 2, "1.5", "values[0]"),
    ("a<1e3", 2, "1e3", "values[0]"),
    ("a<1_0", 2, "1_0", "values[0]"),
    (
        "a>9223372036854775808",
        2,
        "9223372036854775808",
        "values[0]",
    ),
    ("a>-5", 2, "-5", "values[0][a]"),
    ("a<+5", 2, "+5", "values[0][a]"),
];

fn check_unexpected(rows: &[Row], prefix: &str) {
    for (text, offset, token, expected) in rows {
        let error = refused(text);
        assert_eq!(
            (error.offset(), error.token()),
            (*offset, *token),
            "{text:?}"
        );
        let place = match token.is_empty() {
            true => "at the end".to_owned(),
            false => format!("at byte {offset}"),
        };
        let message = format!("{prefix}found '{token}' {place}, expected: {expected}");
        assert_eq!(error.to_string(), message, "{text:?}");
    }
}

#[test]
fn tokens_between_requirements_are_refused_without_prefix() {
    check_unexpected(BETWEEN_REQUIREMENTS, "");
}

#[test]
fn tokens_within_a_requirement_are_refused_with_a_prefix() {
    check_unexpected(WITHIN_REQUIREMENT, "unable to parse requirement: ");
}

#[test]
fn words_are_refused_with_their_place() {
    for (text, offset, token, place) in BAD_WORDS {
        let error = refused(text);
        assert_eq!(
            (error.offset(), error.token()),
            (*offset, *token),
            "{text:?}"
        );
        let shown = token.replace('\u{b}', "\\u{b}");
        let message = format!("unable to parse requirement: {place}: Invalid value: \"{shown}\": ");
        let printed = error.to_string();
        assert!(printed.starts_with(&message), "{text:?}: {printed}");
    }
}

#[test]
fn all_faults_of_a_set_are_told_in_the_order_of_the_set() {
    let text = "ok,k in (c_,fine,b_,c_)";
    let error = refused(text);
    let ParseSelectorErrorCause::Values { key, faults } = error.cause() else {
        panic!("{error:?}");
    };
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.index, fault.offset, fault.text.as_str()))
        .collect();
    assert_eq!(
        (key.as_str(), told),
        ("k", vec![(0, 17, "b_"), (1, 9, "c_")])
    );
    assert_eq!((error.offset(), error.token()), (17, "b_"));
    assert!(
        error
            .to_string()
            .contains("; values[1][k]: Invalid value: \"c_\"")
    );
}

#[test]
fn a_word_can_be_neither_number_nor_value() {
    let error = refused("k>x_").to_string();
    assert!(
        error.contains("values[0]: Invalid value: \"x_\": for the operators"),
        "{error}"
    );
    assert!(
        error.contains("; values[0][k]: Invalid value: \"x_\": a label value"),
        "{error}"
    );
}

#[test]
fn every_cause_of_a_bad_key_is_kept() {
    let error = refused("A/-=1");
    let ParseSelectorErrorCause::Key(key_error) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(key_error.causes().len(), 2);
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn messages_stay_short_and_harmless() {
    let hostile = format!(
        "a in ({})",
        "\u{1b}[2J_,".repeat(10_000) + &"x".repeat(100_000)
    );
    let printed = refused(&hostile).to_string();
    assert!(
        printed.len() < 2_000 && !printed.contains('\u{1b}'),
        "{printed}"
    );
}

#[test]
fn the_caret_stands_under_the_token() {
    let cases = [
        // The text, and the two lines.
        ("a b", "a b", "  ^"),
        (
            "tier in (web, -api-)",
            "tier in (web, -api-)",
            "              ^^^^^",
        ),
        // What is missing is missed behind the last word.
        ("a in (b,", "a in (b,", "        ^"),
        ("a in (b,  \n\n", "a in (b,  ", "        ^"),
        ("a in\n", "a in", "    ^"),
        ("a>,b", "a>,b", "  ^"),
        // Only the line at fault is shown.
        ("a,\nb c,\nd", "b c,", "  ^"),
        ("a,\r\nb c,\r\nd", "b c,", "  ^"),
        ("a in (\n  b,\n  -c-\n)", "  -c-", "  ^^^"),
        // Tabs are repeated; everything else is counted in characters, not bytes.
        ("\ta\tb", "\ta\tb", "\t \t^"),
        ("a in (é, b)", "a in (é, b)", "      ^"),
        ("a=éü", "a=éü", "  ^^"),
        (
            "a in (b) \u{1b}[2J",
            "a in (b) \u{fffd}[2J",
            "         ^^^^",
        ),
        // A NUL ends the text.
        ("a,\0\0 b", "a,\u{fffd}\u{fffd} b", "   ^"),
    ];
    for (text, line, marks) in cases {
        assert_eq!(
            refused(text).caret(text),
            format!("{line}\n{marks}"),
            "{text:?}"
        );
    }
}

#[test]
fn the_caret_survives_another_text() {
    let error = refused("a=b ccc");
    for text in ["", "a", "ééé", "\n\n\n\n\n\n"] {
        assert!(error.caret(text).ends_with("^^^"));
    }
}
