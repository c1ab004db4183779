use std::fs;
use std::path::Path;

use prost::Message as _;

use super::format::Header;
use super::*;
use crate::engine::MissingNode;
use crate::labels::LabelSet;
use crate::model::{ClusterIp, Node, Object, ObjectName, Pod, Service};
use crate::wire::encode_stored;

fn objects(pods: usize) -> Vec<Object> {
    let node = Node {
        name: "n".into(),
        ..Node::default()
    };
    let pod = |i: usize| Pod {
        name: ObjectName::new("d", format!("p{i:05}")),
        labels: LabelSet::try_from_pairs([("app", "rng")]).unwrap(),
        ..Pod::default()
    };
    let service = Service {
        name: ObjectName::new("d", "s"),
        cluster_ip: ClusterIp::Headless,
        ..Service::default()
    };
    let pods = (0..pods).map(|i| Object::Pod(Box::new(pod(i))));
    let mut all = vec![Object::Node(Box::new(node))];
    all.extend(pods);
    all.push(Object::Service(Box::new(service)));
    all
}

fn header(pods: usize) -> Header {
    Header {
        revision: 7,
        epoch: vec![1; 16].into(),
        time: None,
        commit_time: None,
        version: "0".into(),
        missing_node: MissingNode::Admit,
        objects: [1, pods as u64, 1, 0, 0],
    }
}

/// A snapshot, whose bytes are taken each time so many are ready.
fn written(header: &Header, objects: &[Object], take: usize) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(header);
    let mut bytes = Vec::new();
    for object in objects {
        let object = encode_stored(object, "source");
        writer.push(&object.encode_to_vec()).unwrap();
        if writer.ready() >= take {
            bytes.extend(writer.take());
        }
    }
    bytes.extend(writer.finish().unwrap());
    bytes
}

fn read(path: &Path) -> Result<Vec<Object>, SnapshotError> {
    let mut snapshot = SnapshotReader::open(path, &mut |_, _| ())?;
    let objects = snapshot.objects()?.map(|read| {
        let (object, source) = read?;
        assert_eq!(source, "source");
        Ok(object)
    });
    objects.collect()
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Object>, SnapshotError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    read(&path)
}

#[test]
fn what_is_written_is_read_however_its_bytes_are_taken() {
    for pods in [0, 3, 20_000] {
        let (header, objects) = (header(pods), objects(pods));
        let whole = written(&header, &objects, usize::MAX);
        assert_eq!(read_bytes(&whole).unwrap(), objects);
        for take in [1, 70_000] {
            assert!(written(&header, &objects, take) == whole);
        }
    }
}

#[test]
fn every_byte_that_is_another_is_refused() {
    let whole = written(&header(3), &objects(3), 1);
    for at in 0..whole.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            let error = read_bytes(&damaged).unwrap_err();
            let known = match at {
                0..8 => matches!(error, SnapshotError::Foreign { .. }),
                8..12 => matches!(
                    error,
                    SnapshotError::NewerFormat { .. } | SnapshotError::Damaged { .. }
                ),
                _ => matches!(error, SnapshotError::Damaged { .. }),
            };
            assert!(known, "byte {at}: {error}");
        }
    }
}

#[test]
fn what_is_cut_off_or_goes_on_is_refused() {
    let whole = written(&header(3), &objects(3), 1);
    for len in 0..whole.len() {
        let error = read_bytes(&whole[..len]).unwrap_err();
        assert!(
            matches!(error, SnapshotError::Damaged { .. }),
            "{len} bytes: {error}"
        );
    }
    for more in [1, 32, 1_000] {
        let mut longer = whole.clone();
        longer.resize(whole.len() + more, 0);
        read_bytes(&longer).unwrap_err();
    }
}

#[test]
fn other_files_and_later_formats_are_said_to_be_so() {
    for foreign in [&b"apiVersion: v1\nkind: Pod\n"[..], b"x", &[0; 1_000]] {
        let error = read_bytes(foreign).unwrap_err();
        assert!(matches!(error, SnapshotError::Foreign { .. }), "{error}");
    }
    let mut later = written(&header(0), &objects(0), 1);
    later[8] = 2;
    let error = read_bytes(&later).unwrap_err();
    assert!(error.to_string().contains("has format 2"), "{error}");
    let missing = read(Path::new("/nowhere/snapshot")).unwrap_err();
    assert!(matches!(missing, SnapshotError::Io { .. }), "{missing}");
}

/// What no writer of ours writes is refused though its check sum is right.
#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |header: &Header, objects: &[Object], says: &str| {
        let error = read_bytes(&written(header, objects, 1)).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    };
    refused(&header(4), &objects(3), "as its header says");
    let mut disordered = objects(3);
    disordered.swap(1, 2);
    refused(&header(3), &disordered, "out of order");
    let mut twice = objects(3);
    twice[2] = twice[1].clone();
    refused(&header(3), &twice, "out of order");
    let of_none = Header {
        revision: 0,
        ..header(3)
    };
    refused(&of_none, &objects(3), "no revision");
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let names = || fs::read_dir(folder.path()).unwrap().count();
    let path = folder.path().join("file");
    fs::write(&path, "before").unwrap();
    let mut file = NewFile::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    assert_eq!(names(), 2);
    drop(file);
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(names(), 1);
    let mut file = NewFile::create(&path).unwrap();
    file.write_all(b"whole").unwrap();
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert_eq!(names(), 1);
    NewFile::create(folder.path()).unwrap_err();
    NewFile::create(&folder.path().join("missing/file")).unwrap_err();
}
