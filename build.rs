//! Generates the gRPC code from `proto/` without a system `protoc`.

#[cfg(feature = "service")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use prost::Message as _;
    use prost_types::FieldDescriptorProto;
    use prost_types::field_descriptor_proto::Type;

    let files = ["cluster", "query", "watch", "admin", "store", "snapshot"]
        .map(|name| format!("selectord/v1/{name}.proto"));
    println!("cargo:rerun-if-changed=proto");
    let mut descriptors = protox::compile(&files, ["proto"])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("selectord.v1.binpb"), descriptors.encode_to_vec())?;
    // On the wire a message is bytes with their length before them. A pod that is put stays so, to be
    // read without a message struct in between (`wire/read_pod.rs`).
    for message in descriptors
        .file
        .iter_mut()
        .flat_map(|file| &mut file.message_type)
    {
        let is_operation = message.name() == "Operation";
        let puts_pod =
            |field: &&mut FieldDescriptorProto| is_operation && field.name() == "put_pod";
        for field in message.field.iter_mut().filter(puts_pod) {
            field.set_type(Type::Bytes);
            field.type_name = None;
        }
    }
    // A message of many small operations must not take the room of as many large ones.
    let large = ["put_service", "put_node", "put_endpoints", "patch_labels"];
    let mut code = tonic_prost_build::configure()
        .bytes(".selectord.v1")
        .extern_path(".selectord.v1.Label", "crate::wire::proto::Label");
    for step in large {
        code = code.boxed(format!(".selectord.v1.Operation.operation.{step}"));
    }
    code.compile_fds(descriptors)?;
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".etcdserverpb")
        .compile_fds(protox::compile(["etcd/etcd.proto"], ["proto"])?)?;
    Ok(())
}

#[cfg(not(feature = "service"))]
fn main() {}
