use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use selectord::engine::{Engine, EngineOptions};
use selectord::model::{Change as ModelChange, Object};
use selectord_corpus::{
    Change, Corpus, Node, Pod, Service, Spec, write_change, write_ndjson, write_node, write_pod,
    write_service,
};
use serde::Serialize;

use crate::cluster::{
    LOADED_AT_ONCE, apply, node, pod, put_pod, put_service, service, transaction,
};

/// A service and its pods, out of a corpus in which a tenth of the pods are all of a namespace. Here the
/// namespace has a name that no corpus has, so that they can be put into any.
pub struct Giant {
    pub nodes: Vec<Node>,
    pub service: Service,
    pub pods: Vec<Pod>,
}

impl Giant {
    /// The service of that tenth, with so many of its pods.
    pub fn new(corpus: &Corpus, pods: usize) -> anyhow::Result<Giant> {
        const NAMESPACE: &str = "compared";
        let mut service = corpus
            .services()
            .next()
            .context("a corpus without services")?;
        let here = corpus
            .pods()
            .skip_while(|pod| pod.namespace != service.namespace);
        let of_service = |pod: &Pod| pod.namespace == service.namespace;
        let here: Vec<Pod> = here.take_while(of_service).take(pods).collect();
        anyhow::ensure!(here.len() == pods, "the corpus has too few such pods");
        service.namespace = NAMESPACE.into();
        let moved = |pod| Pod {
            namespace: NAMESPACE.into(),
            ..pod
        };
        Ok(Giant {
            nodes: corpus.nodes().collect(),
            pods: here.into_iter().map(moved).collect(),
            service,
        })
    }

    /// A corpus in which that tenth has so many pods, and that many nodes at least.
    pub fn corpus(seed: u64, pods: u32, nodes: u32) -> Corpus {
        const NODE: u32 = 100;
        Corpus::new(Spec::new((10 * pods).max(NODE * nodes)).seed(seed))
    }

    /// Writes it for the peers.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut out = create(path)?;
        self.nodes
            .iter()
            .try_for_each(|node| write_node(node, &mut out))?;
        write_service(&self.service, &mut out)?;
        self.pods
            .iter()
            .try_for_each(|pod| write_pod(pod, &mut out))?;
        Ok(out.flush()?)
    }

    /// An engine that knows it alone, with the first so many of its pods.
    pub fn loaded(&self, pods: usize) -> Engine {
        let mut engine = Engine::new(EngineOptions::default());
        self.load(&mut engine, pods);
        engine
    }

    /// Puts it into an engine, with the first so many of its pods. Nodes that are there become its own.
    pub fn load(&self, engine: &mut Engine, pods: usize) {
        let nodes = self.nodes.iter().cloned();
        let nodes = nodes.map(|one| ModelChange::Put(Object::Node(Box::new(node(one)))));
        let first = nodes.chain([put_service(service(self.service.clone()))]);
        apply(engine, transaction(first));
        for part in self
            .pods
            .get(..pods)
            .unwrap_or_default()
            .chunks(LOADED_AT_ONCE)
        {
            let pods = part.iter().cloned().map(|one| put_pod(pod(one)));
            apply(engine, transaction(pods));
        }
    }
}

/// Writes a whole corpus.
pub fn write_corpus(path: &Path, corpus: &Corpus) -> anyhow::Result<()> {
    let mut out = create(path)?;
    write_ndjson(corpus, &mut out)?;
    Ok(out.flush()?)
}

/// Writes changes, in this order.
pub fn write_changes<'c>(
    path: &Path,
    changes: impl IntoIterator<Item = &'c Change>,
) -> anyhow::Result<()> {
    let mut out = create(path)?;
    changes
        .into_iter()
        .try_for_each(|change| write_change(change, &mut out))?;
    Ok(out.flush()?)
}

/// Writes anything, one to a line.
pub fn write_lines<T: Serialize>(path: &Path, lines: &[T]) -> anyhow::Result<()> {
    let mut out = create(path)?;
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(file))
}
