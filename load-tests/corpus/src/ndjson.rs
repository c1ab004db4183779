use std::io::{self, Write};

use crate::churn::Change;
use crate::cluster::Corpus;
use crate::objects::{Node, Pod, Requirement, Selector, Service};

/// Writes the cluster as Kubernetes objects, one JSON object a line: nodes, services, pods.
///
/// What has a set-based selector carries it as a LabelSelector, which Kubernetes' own services cannot.
///
/// # Errors
/// Those of `out`.
pub fn write_ndjson(corpus: &Corpus, out: &mut impl Write) -> io::Result<()> {
    corpus.nodes().try_for_each(|node| write_node(&node, out))?;
    corpus
        .services()
        .try_for_each(|service| write_service(&service, out))?;
    corpus.pods().try_for_each(|pod| write_pod(&pod, out))
}

/// Writes a change as an object `{"type":…}`, a line: `MODIFIED` with the pod, or `REPLACED` with the
/// name of the one `deleted` and the new one.
///
/// # Errors
/// Those of `out`.
pub fn write_change(change: &Change, out: &mut impl Write) -> io::Result<()> {
    let pod = match change {
        Change::Readiness(pod) | Change::Relabel(pod) => {
            out.write_all(br#"{"type":"MODIFIED","object":"#)?;
            pod
        }
        Change::Replace {
            namespace,
            deleted,
            created,
        } => {
            write!(
                out,
                r#"{{"type":"REPLACED","deleted":{{"namespace":"{namespace}","name":"{deleted}"}},"object":"#
            )?;
            created
        }
    };
    pod_object(pod, out)?;
    out.write_all(b"}\n")
}

/// Writes a node, a line.
///
/// # Errors
/// Those of `out`.
pub fn write_node(node: &Node, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{}","labels":{{"topology.kubernetes.io/zone":"{}"}}}}}}"#,
        node.name, node.zone
    )
}

/// Writes a pod, a line.
///
/// # Errors
/// Those of `out`.
pub fn write_pod(pod: &Pod, out: &mut impl Write) -> io::Result<()> {
    pod_object(pod, out)?;
    out.write_all(b"\n")
}

// Nothing that is generated holds a quote, a backslash or a control character, so text is written as
// it is; a test reads it all back.
fn pod_object(pod: &Pod, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"namespace":"{}","name":"{}","uid":"{}","labels":"#,
        pod.namespace, pod.name, pod.uid
    )?;
    write_object(&pod.labels, out)?;
    write!(
        out,
        r#"}},"spec":{{"nodeName":"{}","containers":[{{"name":"main","ports":["#,
        pod.node
    )?;
    write_list(pod.ports, out, |port, out| {
        write!(
            out,
            r#"{{"name":"{}","containerPort":{}}}"#,
            port.name, port.number
        )
    })?;
    let ready = if pod.ready { "True" } else { "False" };
    write!(
        out,
        r#"]}}]}},"status":{{"phase":"Running","podIP":"{ip}","podIPs":[{{"ip":"{ip}"}}],"conditions":[{{"type":"Ready","status":"{ready}"}}]}}}}"#,
        ip = pod.ip
    )
}

/// Writes a service, a line.
///
/// # Errors
/// Those of `out`.
pub fn write_service(service: &Service, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"namespace":"{}","name":"{}","uid":"{}"}},"spec":{{"clusterIP":"{ip}","clusterIPs":["{ip}"],"selector":"#,
        service.namespace,
        service.name,
        service.uid,
        ip = service.cluster_ip
    )?;
    match &service.selector {
        Selector::Pairs(pairs) => write_object(pairs, out)?,
        Selector::Set(requirements) => {
            out.write_all(br#"{"matchExpressions":["#)?;
            write_list(requirements, out, write_requirement)?;
            out.write_all(b"]}")?;
        }
    }
    out.write_all(br#","ports":["#)?;
    write_list(service.ports, out, |port, out| {
        write!(
            out,
            r#"{{"name":"{}","port":{},"targetPort":"#,
            port.name, port.port
        )?;
        match port.target {
            Ok(name) => write!(out, r#""{name}"}}"#),
            Err(number) => write!(out, "{number}}}"),
        }
    })?;
    out.write_all(b"]}}\n")
}

fn write_requirement<W: Write>(requirement: &Requirement, out: &mut W) -> io::Result<()> {
    let (key, operator, values) = match requirement {
        Requirement::In(key, values) => (key, "In", values.as_slice()),
        Requirement::NotIn(key, values) => (key, "NotIn", values.as_slice()),
        Requirement::DoesNotExist(key) => {
            return write!(out, r#"{{"key":"{key}","operator":"DoesNotExist"}}"#);
        }
    };
    write!(out, r#"{{"key":"{key}","operator":"{operator}","values":["#)?;
    write_list(values, out, |value, out| write!(out, r#""{value}""#))?;
    out.write_all(b"]}")
}

fn write_object<W: Write>(pairs: &[(&str, impl AsRef<str>)], out: &mut W) -> io::Result<()> {
    out.write_all(b"{")?;
    write_list(pairs, out, |(key, value), out| {
        write!(out, r#""{key}":"{}""#, value.as_ref())
    })?;
    out.write_all(b"}")
}

fn write_list<T, W: Write>(
    items: &[T],
    out: &mut W,
    mut write_item: impl FnMut(&T, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.write_all(b",")?;
        }
        write_item(item, out)?;
    }
    Ok(())
}
