use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::cluster::{Corpus, uid};
use crate::labels::{APP, Labels};
use crate::objects::{Requirement, Selector, Service, ServicePort};
use crate::rng::Rng;

const PORTS: [ServicePort; 2] = [
    ServicePort {
        name: "web",
        port: 80,
        target: Ok("http"),
    },
    ServicePort {
        name: "metrics",
        port: 9090,
        target: Err(9090),
    },
];

/// One service in so many is set-based.
const SET_BASED: u64 = 100;
/// One set-based service in so many has only negative requirements.
const ONLY_NEGATIVE: u64 = 10;

pub(crate) fn service(corpus: &Corpus, number: u32) -> Service {
    let spec = corpus.spec;
    let mut rng = Rng::of(spec.seed, 10, u64::from(number));
    let giant = corpus.layout.giants.get(number as usize).copied();
    let ordinary = corpus.layout.ordinary;
    let drawn = ordinary + rng.below(u64::from(spec.pods - ordinary)) as u32;
    let pod = corpus.pod(giant.unwrap_or(drawn));
    let selector = if giant.is_some() {
        Selector::Pairs(only(&pod.labels, APP))
    } else if rng.one_in(SET_BASED) {
        Selector::Set(requirements(&pod.labels, &mut rng))
    } else {
        Selector::Pairs(pairs(&pod.labels, &mut rng))
    };
    let [_, a, b, c] = number.to_be_bytes();
    Service {
        namespace: pod.namespace,
        name: format!("svc-{number}"),
        uid: uid(&mut rng),
        selector,
        cluster_ip: Ipv4Addr::new(100, 64 + (a & 63), b, c),
        ports: &PORTS,
    }
}

fn only(labels: &Labels, key: &str) -> Labels {
    labels.iter().filter(|(k, _)| *k == key).cloned().collect()
}

/// One to three pairs of the pod.
fn pairs(labels: &Labels, rng: &mut Rng) -> Labels {
    let identifying = match rng.below(8) {
        0..6 => 0,
        from_the_end => labels.len() - (from_the_end as usize - 5),
    };
    let mut pairs: Labels = labels.get(identifying).cloned().into_iter().collect();
    let wanted = 1 + rng.below(3) as usize;
    while pairs.len() < wanted {
        let pair = rng.pick(labels);
        if pairs.iter().all(|(key, _)| *key != pair.0) {
            pairs.push(pair.clone());
        }
    }
    pairs
}

fn requirements(labels: &Labels, rng: &mut Rng) -> Vec<Requirement> {
    let value = |key: &str| only(labels, key).into_iter().map(|(_, value)| value);
    let not_dev = || Requirement::NotIn("env", vec!["dev".into(), "test".into()]);
    if rng.one_in(ONLY_NEGATIVE) {
        return vec![not_dev(), Requirement::DoesNotExist("job-name")];
    }
    let mut apps: Vec<Cow<'static, str>> = value(APP).collect();
    apps.push("canary".into());
    match rng.below(2) {
        0 => vec![Requirement::In(APP, apps), not_dev()],
        _ => vec![
            Requirement::In(APP, apps),
            Requirement::In("tier", value("tier").chain(["edge".into()]).collect()),
        ],
    }
}
