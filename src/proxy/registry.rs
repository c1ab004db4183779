use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

/// The one histogram with buckets of its own.
pub(super) const PROGRAMMING: &str = "kubeproxy_network_programming_duration_seconds";

/// A recorder of this proxy alone, with kube-proxy's buckets.
pub(super) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets(&doubling())?
        .set_buckets_for_metric(Matcher::Full(PROGRAMMING.into()), &programming_buckets())?;
    Ok(builder.build_recorder())
}

/// kube-proxy's buckets of syncs: 1 ms to 16 s.
fn doubling() -> Vec<f64> {
    (0..15)
        .map(|power| 0.001 * f64::from(1u32 << power))
        .collect()
}

/// kube-proxy's buckets of programming: finer below a minute, five minutes at most.
fn programming_buckets() -> Vec<f64> {
    let tens = (60..120).step_by(5).chain((120..=300).step_by(30));
    let seconds = (1..60).chain(tens).map(f64::from);
    [0.25, 0.5].into_iter().chain(seconds).collect()
}

/// Makes numbers that are found again by their name and labels.
pub(super) struct Registry<'a>(&'a PrometheusRecorder);

const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

impl Registry<'_> {
    /// Numbers of this recorder.
    pub(super) fn of(recorder: &PrometheusRecorder) -> Registry<'_> {
        Registry(recorder)
    }

    fn key(name: String, labels: &[(&'static str, &'static str)]) -> Key {
        let labels: Vec<Label> = labels.iter().map(|(k, v)| Label::new(*k, *v)).collect();
        Key::from_parts(name, labels)
    }

    pub(super) fn counter(
        &self,
        name: String,
        labels: &[(&'static str, &'static str)],
        help: &'static str,
    ) -> Counter {
        self.0
            .describe_counter(name.clone().into(), None, help.into());
        let counter = self.0.register_counter(&Registry::key(name, labels), &META);
        // It is there from the start.
        counter.increment(0);
        counter
    }

    pub(super) fn gauge(
        &self,
        name: String,
        labels: &[(&'static str, &'static str)],
        help: &'static str,
    ) -> Gauge {
        self.0
            .describe_gauge(name.clone().into(), None, help.into());
        self.0.register_gauge(&Registry::key(name, labels), &META)
    }

    pub(super) fn histogram(&self, name: String, help: &'static str) -> Histogram {
        self.0
            .describe_histogram(name.clone().into(), None, help.into());
        self.0.register_histogram(&Registry::key(name, &[]), &META)
    }
}
