use std::io::Write;

use serde_json::json;

use crate::client::{At, Grouped, Listing};
use crate::engine::GroupBy;
use crate::labels::Key;

use super::age;
use super::failure::{Done, Misused};
use super::print::print_data;
use super::resource::{self, Resource};
use super::table::Columns;
use super::target::{DataArgs, EarlyArgs, NamespaceArgs, SelectorArgs, ServerArgs};

/// Count pods by selector, and by label, node or namespace
///
/// Nothing is listed to be counted: the index knows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord count pods -l app=rng
  selectord count pods -A -l 'tier in (web,api)' --by namespace
  selectord count pods --by app
  selectord count pods --by node -o json")]
pub(super) struct Args {
    /// What to count: pods
    #[arg(value_name = "TYPE", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    selector: SelectorArgs,
    #[command(flatten)]
    namespace: NamespaceArgs,
    /// Count by 'node', by 'namespace', or by the values of a label key ('label:node' is the key node)
    #[arg(long, value_name = "node|namespace|KEY")]
    by: Option<String>,
    /// Most groups to show, largest first [default: the server's]
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "by",
        default_value_t = 0,
        hide_default_value = true
    )]
    limit: u32,
    #[command(flatten)]
    output: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let groups =
        resource::parse(&args.words).map_err(|error| Misused::of("count", error.to_string()))?;
    if !matches!(groups.as_slice(), [group] if group.resource == Resource::Pods && group.names.is_empty())
    {
        return Err(Misused::of(
            "count",
            "only pods are counted, by -l and -n: write 'count pods'",
        ));
    }
    let listing = Listing {
        selector: args.selector.selector("count")?,
        namespaces: args.namespace.place(early).namespaces(),
        ..Listing::default()
    };
    let by = args.by.as_deref().map(by).transpose()?;
    let client = args.server.connect(early).await?;
    match by {
        None => {
            let At {
                revision,
                source_age,
                answer: count,
            } = client.count(&listing).await?;
            age::warn(source_age);
            match args.output.output {
                None => writeln!(out, "{count}")?,
                Some(format) => print_data(
                    out,
                    format,
                    &json!({ "count": count, "revision": revision }),
                )?,
            }
        }
        Some(by) => {
            let answer = client.group(&listing, &by, args.limit).await?;
            age::warn(answer.source_age);
            match args.output.output {
                None => table(out, heading(&by), answer.answer)?,
                Some(format) => print_data(out, format, &data(answer))?,
            }
        }
    }
    Ok(Done::Well)
}

fn by(text: &str) -> anyhow::Result<GroupBy> {
    let key = match text {
        "node" => return Ok(GroupBy::Node),
        "namespace" | "ns" => return Ok(GroupBy::Namespace),
        // No key has a colon, so that a key of any name can be said.
        text => text.strip_prefix("label:").unwrap_or(text),
    };
    Key::new(key).map(GroupBy::Label).map_err(|error| {
        Misused::of(
            "count",
            format!("--by {text:?}: not node, not namespace, and no label key: {error}"),
        )
    })
}

fn heading(by: &GroupBy) -> &'static str {
    match by {
        GroupBy::Label(_) => "VALUE",
        GroupBy::Node => "NODE",
        GroupBy::Namespace => "NAMESPACE",
    }
}

fn table(out: &mut dyn Write, heading: &'static str, grouped: Grouped) -> anyhow::Result<()> {
    let value = |value: String| {
        if value.is_empty() {
            "\"\"".to_owned()
        } else {
            value
        }
    };
    let mut rows: Vec<Vec<String>> = grouped
        .groups
        .into_iter()
        .map(|(text, count)| vec![value(text), count.to_string()])
        .collect();
    if grouped.other_groups > 0 {
        rows.push(vec![
            format!("<{} others>", grouped.other_groups),
            grouped.others.to_string(),
        ]);
    }
    if grouped.without > 0 {
        rows.push(vec!["<none>".to_owned(), grouped.without.to_string()]);
    }
    if rows.is_empty() {
        eprintln!("No pods match.");
    }
    Ok(Columns::new(vec![heading, "PODS"]).print(out, rows)?)
}

fn data(answer: At<Grouped>) -> serde_json::Value {
    let grouped = answer.answer;
    let groups: Vec<_> = grouped
        .groups
        .into_iter()
        .map(|(value, count)| json!({ "value": value, "count": count }))
        .collect();
    json!({
        "groups": groups,
        "without": grouped.without,
        "others": grouped.others,
        "otherGroups": grouped.other_groups,
        "revision": answer.revision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pods_are_counted_by() {
        assert_eq!(by("node").unwrap(), GroupBy::Node);
        assert_eq!(by("namespace").unwrap(), GroupBy::Namespace);
        assert_eq!(
            by("app.kubernetes.io/name").unwrap(),
            GroupBy::Label(Key::new("app.kubernetes.io/name").unwrap())
        );
        assert_eq!(
            by("label:node").unwrap(),
            GroupBy::Label(Key::new("node").unwrap())
        );
        assert!(
            by("a b")
                .unwrap_err()
                .to_string()
                .starts_with("--by \"a b\": ")
        );
    }

    #[test]
    fn groups_are_a_table() {
        let grouped = Grouped {
            groups: vec![("rng".into(), 30), (String::new(), 2)],
            without: 4,
            others: 9,
            other_groups: 3,
        };
        let mut out = Vec::new();
        table(&mut out, "VALUE", grouped).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
VALUE        PODS
rng          30
\"\"           2
<3 others>   9
<none>       4
"
        );
    }
}
