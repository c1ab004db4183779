use std::io::Write;
use std::time::Duration;

use serde_json::json;

use crate::client::{At, Client, Listing, Plan};
use crate::engine::Membership;
use crate::model::ObjectName;
use crate::selector::Selector;

use super::age::{fresh, warn};
use super::failure::{Done, Misused};
use super::print::print_data;
use super::resource::{self, Resource};
use super::table::Columns;
use super::target::{DataArgs, DataFormat, EarlyArgs, NamespaceArgs, ServerArgs, indented};

/// Show how a selector is evaluated and what that costs, or why a pod is in a service or not
///
/// What begins with 'pod/' is a pod: with --service, every condition for being an endpoint of it is
/// shown; without, the services that select the pod. Anything else is a selector. The exit code is 1 when
/// there is no such pod or service.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord explain 'app=rng,active!=yes'
  selectord explain 'tier in (web,api),!canary' -A
  selectord explain pod/rng-a --service rng
  selectord explain pod/rng-a")]
pub(super) struct Args {
    /// A selector, or pod/NAME
    #[arg(value_name = "SELECTOR|pod/NAME", allow_hyphen_values = true)]
    subject: String,
    /// The service that the pod is, or is not, an endpoint of
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    namespace: NamespaceArgs,
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
    let place = args.namespace.place(early);
    let format = args.output.output;
    match (pod(&args.subject), &args.service) {
        (Some(name), service) => {
            let Some(pod) = place.object(name) else {
                return Err(Misused::of(
                    "explain",
                    "a pod is in one namespace: use -n instead of -A",
                ));
            };
            let client = args.server.connect(early).await?;
            match service {
                Some(service) => return membership(&client, &pod, service, format, out).await,
                None => services(&client, &pod, format, out).await?,
            }
        }
        (None, Some(_)) => {
            return Err(Misused::of(
                "explain",
                "--service is asked about a pod: write pod/NAME --service SERVICE",
            ));
        }
        (None, None) => {
            let selector = Selector::parse(&args.subject).map_err(|error| {
                Misused::of(
                    "explain",
                    format!("{error}\n{}", indented(&error.caret(&args.subject))),
                )
            })?;
            let listing = Listing {
                selector,
                namespaces: place.namespaces(),
                ..Listing::default()
            };
            let client = args.server.connect(early).await?;
            let plan = client.explain(&listing).await?;
            warn(plan.source_age);
            match format {
                Some(format) => print_data(out, format, &plan_data(plan))?,
                None => print_plan(out, plan.answer)?,
            }
        }
    }
    Ok(Done::Well)
}

/// The name, if a subject is a pod.
fn pod(subject: &str) -> Option<&str> {
    let groups = resource::parse(std::slice::from_ref(&subject.to_owned())).ok()?;
    let is_pod = matches!(groups.as_slice(), [group] if group.resource == Resource::Pods && group.names.len() == 1);
    subject
        .split_once('/')
        .filter(|_| is_pod)
        .map(|(_, name)| name)
}

fn print_plan(out: &mut dyn Write, plan: Plan) -> anyhow::Result<()> {
    writeln!(
        out,
        "selector   {}",
        if plan.selector.is_empty() {
            "<everything>"
        } else {
            &plan.selector
        }
    )?;
    writeln!(out, "pods       {}", plan.count)?;
    writeln!(out, "time       {}", time(plan.elapsed))?;
    writeln!(out)?;
    let row = |(i, step): (usize, crate::client::PlanStep)| {
        vec![
            i.saturating_add(1).to_string(),
            step.action,
            step.term,
            step.estimated.to_string(),
            step.remaining.to_string(),
            step.postings.to_string(),
        ]
    };
    let rows = plan.steps.into_iter().enumerate().map(row).collect();
    Ok(Columns::new(vec![
        "STEP",
        "ACTION",
        "TERM",
        "ESTIMATED",
        "REMAINING",
        "POSTINGS",
    ])
    .print(out, rows)?)
}

/// A short time with three digits: `12.3µs`.
fn time(time: Duration) -> String {
    let nanos = time.as_nanos();
    let scaled = |unit: f64, name: &str| {
        let value = time.as_secs_f64() * unit;
        let decimals = if value < 10.0 {
            2
        } else {
            usize::from(value < 100.0)
        };
        format!("{value:.decimals$}{name}")
    };
    match nanos {
        0..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => scaled(1e6, "µs"),
        1_000_000..1_000_000_000 => scaled(1e3, "ms"),
        _ => scaled(1.0, "s"),
    }
}

fn plan_data(plan: At<Plan>) -> serde_json::Value {
    let At {
        revision,
        answer: plan,
        ..
    } = plan;
    let steps: Vec<_> = plan
        .steps
        .into_iter()
        .map(|step| {
            json!({
                "term": step.term,
                "action": step.action,
                "estimated": step.estimated,
                "remaining": step.remaining,
                "postings": step.postings,
            })
        })
        .collect();
    json!({
        "selector": plan.selector,
        "count": plan.count,
        "elapsedSeconds": plan.elapsed.as_secs_f64(),
        "steps": steps,
        "revision": revision,
    })
}

async fn membership(
    client: &Client,
    pod: &ObjectName,
    service: &str,
    format: Option<DataFormat>,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let explained = client.explain_membership(pod, service).await?;
    let revision = explained.revision;
    let answer = fresh(explained);
    // The first two conditions are that both are there.
    let done = match answer.reasons.iter().take(2).all(|reason| reason.met) {
        true => Done::Well,
        false => Done::Partly,
    };
    if let Some(format) = format {
        let reasons: Vec<_> = answer
            .reasons
            .iter()
            .map(|reason| json!({ "met": reason.met, "condition": reason.condition, "found": reason.found }))
            .collect();
        let data = json!({
            "pod": pod.to_string(),
            "service": format!("{}/{service}", pod.namespace),
            "endpoint": answer.endpoint,
            "reasons": reasons,
            "revision": revision,
        });
        print_data(out, format, &data)?;
    } else {
        print_membership(out, pod, service, answer)?;
    }
    Ok(done)
}

fn print_membership(
    out: &mut dyn Write,
    pod: &ObjectName,
    service: &str,
    answer: Membership,
) -> anyhow::Result<()> {
    let verdict = if answer.endpoint { "is" } else { "is not" };
    writeln!(
        out,
        "{pod} {verdict} an endpoint of {}/{service}",
        pod.namespace
    )?;
    writeln!(out)?;
    let row = |reason: crate::engine::Reason| {
        vec![
            if reason.met { "yes" } else { "no" }.to_owned(),
            reason.condition,
            reason.found,
        ]
    };
    let rows = answer.reasons.into_iter().map(row).collect();
    Ok(Columns::new(vec!["MET", "CONDITION", "FOUND"]).print(out, rows)?)
}

async fn services(
    client: &Client,
    pod: &ObjectName,
    format: Option<DataFormat>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let found = client.services_of_pod(pod).await?;
    let revision = found.revision;
    let answer = fresh(found);
    let names: Vec<String> = answer.iter().map(ToString::to_string).collect();
    match format {
        Some(format) => {
            let data = json!({ "pod": pod.to_string(), "services": names, "revision": revision });
            print_data(out, format, &data)?;
        }
        None if names.is_empty() => writeln!(out, "no service selects {pod}")?,
        None => {
            writeln!(out, "{pod} is selected by:")?;
            for name in names {
                writeln!(out, "  {name}")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::PlanStep;

    #[test]
    fn pods_are_told_from_selectors() {
        assert_eq!(pod("pod/rng-a"), Some("rng-a"));
        assert_eq!(pod("po/rng-a"), Some("rng-a"));
        for selector in ["pods", "app=rng", "example.com/tier", "svc/rng", "pod/", ""] {
            assert_eq!(pod(selector), None, "{selector}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        for (nanos, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_500, "1.50µs"),
            (12_340, "12.3µs"),
            (456_000, "456µs"),
            (7_890_000, "7.89ms"),
            (2_000_000_000, "2.00s"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_plan_is_a_table() {
        let step = |action: &str, term: &str, estimated, remaining| PlanStep {
            term: term.into(),
            action: action.into(),
            estimated,
            remaining,
            postings: 1,
        };
        let plan = Plan {
            selector: "active!=yes,app=rng".into(),
            steps: vec![
                step("start", "app=rng", 3, 3),
                step("subtract", "active!=yes", 1_000, 1),
            ],
            count: 1,
            elapsed: Duration::from_micros(12),
        };
        let mut out = Vec::new();
        print_plan(&mut out, plan).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
selector   active!=yes,app=rng
pods       1
time       12.0µs

STEP   ACTION     TERM          ESTIMATED   REMAINING   POSTINGS
1      start      app=rng       3           3           1
2      subtract   active!=yes   1000        1           1
"
        );
    }
}
