use std::error::Error;
use std::fs;

use super::builders::assert_says;
use crate::source::manifest::{Input, read};

fn node(name: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n")
}

#[test]
fn a_directory_is_read_by_name_and_not_below() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("b.yml"), node("b"))?;
    fs::write(dir.path().join("a.yaml"), node("a"))?;
    fs::write(
        dir.path().join("c.json"),
        r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"c"}}"#,
    )?;
    fs::write(dir.path().join("notes.txt"), "a: b: c")?;
    fs::create_dir(dir.path().join("more.yaml"))?;
    fs::write(dir.path().join("more.yaml").join("d.yaml"), node("d"))?;
    let manifests = read(&[Input::Path(dir.path().to_owned())], "default")?;
    let names: Vec<String> = manifests
        .objects
        .iter()
        .map(|o| o.object_ref().name.to_string())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    Ok(())
}

#[test]
fn a_named_file_is_read_whatever_its_name() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("manifest.txt");
    fs::write(&file, node("a"))?;
    assert_eq!(read(&[Input::Path(file)], "default")?.objects.len(), 1);
    Ok(())
}

#[test]
fn what_cannot_be_read_is_told_with_all_the_rest() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("bad.yaml"), "a: b: c")?;
    fs::write(dir.path().join("binary.yaml"), [0xff, 0xfe, 0x00])?;
    fs::create_dir(dir.path().join("empty"))?;
    let inputs =
        ["bad.yaml", "binary.yaml", "empty", "gone"].map(|name| Input::Path(dir.path().join(name)));
    let Err(errors) = read(&inputs, "default") else {
        panic!("taken")
    };
    assert_eq!(errors.errors().len(), 4);
    assert_says(
        &errors.to_string(),
        &[
            "bad.yaml:1:5: document 1: not YAML",
            "binary.yaml: cannot be read",
            "empty: holds no files ending in",
            "gone: cannot be read",
        ],
    );
    Ok(())
}

#[test]
fn two_files_may_not_hold_the_same_object() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("a.yaml"), node("x"))?;
    fs::write(dir.path().join("b.yaml"), node("x"))?;
    let Err(errors) = read(&[Input::Path(dir.path().to_owned())], "default") else {
        panic!("taken")
    };
    assert_says(
        &errors.to_string(),
        &[
            "b.yaml:1:1: document 1: node x stands in the input already, at ",
            "a.yaml:1:1: document 1",
        ],
    );
    Ok(())
}

#[test]
fn a_dash_is_standard_input() {
    assert_eq!(Input::from("-"), Input::Stdin);
    assert_eq!(Input::from("./-"), Input::Path("./-".into()));
}
