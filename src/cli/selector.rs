use std::io::Write;

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use crate::labels::LabelSet;
use crate::selector::{LabelSelector, Selector};

use super::failure::{Done, Misused};
use super::print::print_data;
use super::target::{DataFormat, indented};

/// Check a selector and print it in canonical form
///
/// With --labels it also says whether they match: 'true' or 'false' on a second line. Asks no
/// server. The exit code is 1 when the text is not a selector.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord selector 'tier in (web, api), !canary'
  selectord selector 'app=rng,active!=yes' --labels app=rng,active=no
  selectord selector 'app=rng' -o json")]
pub(super) struct Args {
    /// The selector, as for 'kubectl -l'
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
    /// Labels to match it against
    #[arg(long, value_name = "KEY=VALUE,…")]
    labels: Option<String>,
    /// Print data instead of text
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<DataFormat>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    let labels = args.labels.as_deref().map(labels).transpose()?;
    let selector = Selector::parse(&args.text)
        .map_err(|error| anyhow!("{error}\n{}", indented(&error.caret(&args.text))))?;
    let matches = labels.as_ref().map(|labels| selector.matches(labels));
    match args.output {
        Some(format) => print_data(out, format, &data(&selector, labels.as_ref(), matches))?,
        None => {
            writeln!(out, "{selector}")?;
            if let Some(matches) = matches {
                writeln!(out, "{matches}")?;
            }
        }
    }
    Ok(Done::Well)
}

/// Reads `k=v,k=v`.
fn labels(text: &str) -> anyhow::Result<LabelSet> {
    let mut pairs = Vec::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Misused::of(
                "selector",
                format!("--labels: {pair:?} is not a label; write key=value, separated by commas"),
            )
        })?;
        pairs.push((key, value));
    }
    LabelSet::try_from_pairs(pairs)
        .map_err(|error| Misused::of("selector", format!("--labels: {error}")))
}

fn data(selector: &Selector, labels: Option<&LabelSet>, matches: Option<bool>) -> Value {
    let mut data = Map::new();
    data.insert("selector".to_owned(), selector.to_string().into());
    // Comparisons have no structured form.
    if let Ok(structured) = LabelSelector::try_from(selector) {
        data.insert("labelSelector".to_owned(), structured_form(structured));
    }
    if let (Some(labels), Some(matches)) = (labels, matches) {
        let pairs: Map<_, _> = labels
            .iter()
            .map(|(key, value)| (key.to_string(), value.as_str().into()))
            .collect();
        data.insert("labels".to_owned(), pairs.into());
        data.insert("matches".to_owned(), matches.into());
    }
    data.into()
}

/// As an object's manifest has it.
fn structured_form(selector: LabelSelector) -> Value {
    let expressions: Vec<Value> = selector
        .match_expressions
        .iter()
        .map(|e| match e.values.as_slice() {
            [] => json!({ "key": e.key, "operator": e.operator }),
            values => json!({ "key": e.key, "operator": e.operator, "values": values }),
        })
        .collect();
    let pairs: Map<_, _> = selector
        .match_labels
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    let mut form = Map::new();
    if !pairs.is_empty() {
        form.insert("matchLabels".to_owned(), pairs.into());
    }
    if !expressions.is_empty() {
        form.insert("matchExpressions".to_owned(), expressions.into());
    }
    form.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, labels: Option<&str>, output: Option<DataFormat>) -> String {
        let args = Args {
            text: text.to_owned(),
            labels: labels.map(str::to_owned),
            output,
        };
        let mut out = Vec::new();
        match run(&args, &mut out) {
            Ok(_) => String::from_utf8(out).unwrap(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn canonical_form_and_verdict() {
        assert_eq!(
            printed("tier in (web, api), !canary", None, None),
            "!canary,tier in (api,web)\n"
        );
        assert_eq!(
            printed("app=rng,active!=yes", Some("app=rng"), None),
            "active!=yes,app=rng\ntrue\n"
        );
        assert_eq!(
            printed("app=rng", Some("app=hasher,x="), None),
            "app=rng\nfalse\n"
        );
        assert_eq!(printed("", Some(""), None), "\ntrue\n");
    }

    #[test]
    fn a_caret_points_at_what_is_wrong() {
        let said = printed("app in (rng", None, None);
        assert!(
            said.starts_with("error: unable to parse requirement: "),
            "{said}"
        );
        assert!(said.ends_with("\n  app in (rng\n             ^"), "{said}");
    }

    #[test]
    fn data_has_the_structured_form() {
        assert_eq!(
            printed(
                "app=rng,tier notin (a,b),!x",
                Some("app=rng"),
                Some(DataFormat::Json)
            ),
            r#"{
  "selector": "app=rng,tier notin (a,b),!x",
  "labelSelector": {
    "matchLabels": {
      "app": "rng"
    },
    "matchExpressions": [
      {
        "key": "tier",
        "operator": "NotIn",
        "values": [
          "a",
          "b"
        ]
      },
      {
        "key": "x",
        "operator": "DoesNotExist"
      }
    ]
  },
  "labels": {
    "app": "rng"
  },
  "matches": true
}
"#
        );
    }
}
