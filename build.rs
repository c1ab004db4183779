//! Generates the gRPC code from `proto/` without a system `protoc`.

#[cfg(feature = "service")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use prost::Message as _;

    let files = ["cluster", "query", "watch", "admin", "store", "snapshot"]
        .map(|name| format!("selectord/v1/{name}.proto"));
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(&files, ["proto"])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("selectord.v1.binpb"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".selectord.v1")
        .extern_path(".selectord.v1.Label", "crate::wire::proto::Label")
        .extern_path(".selectord.v1.Operation", "crate::wire::proto::Operation")
        .compile_fds(descriptors)?;
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".etcdserverpb")
        .compile_fds(protox::compile(["etcd/etcd.proto"], ["proto"])?)?;
    Ok(())
}

#[cfg(not(feature = "service"))]
fn main() {}
