//! JSON and YAML on standard output.

use std::io::Write;

use serde_json::Value;

use crate::source::manifest::to_yaml;

use super::target::DataFormat;

/// Prints one value, as a document of its own.
pub(super) fn print_data(
    out: &mut dyn Write,
    format: DataFormat,
    value: &Value,
) -> anyhow::Result<()> {
    out.write_all(text(format, value)?.as_bytes())?;
    Ok(())
}

fn text(format: DataFormat, value: &Value) -> anyhow::Result<String> {
    Ok(match format {
        DataFormat::Json => format!("{value:#}\n"),
        DataFormat::Yaml => {
            let mut text = to_yaml(value)?;
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text
        }
    })
}

/// Prints a v1 List item by item, so that a million objects need not be held at once.
#[derive(Debug)]
pub(super) struct ListPrinter {
    format: DataFormat,
    printed: usize,
}

impl ListPrinter {
    pub(super) fn new(format: DataFormat) -> ListPrinter {
        ListPrinter { format, printed: 0 }
    }

    pub(super) fn format(&self) -> DataFormat {
        self.format
    }

    pub(super) fn item(&mut self, out: &mut dyn Write, item: &Value) -> anyhow::Result<()> {
        let text = text(self.format, item)?;
        let first = self.printed == 0;
        self.printed = self.printed.saturating_add(1);
        match self.format {
            DataFormat::Json => {
                let separator = if first {
                    "{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n"
                } else {
                    ",\n"
                };
                out.write_all(separator.as_bytes())?;
                for (i, line) in text.lines().enumerate() {
                    write!(out, "{}    {line}", if i == 0 { "" } else { "\n" })?;
                }
            }
            DataFormat::Yaml => {
                if first {
                    out.write_all(b"apiVersion: v1\nitems:\n")?;
                }
                for (i, line) in text.lines().enumerate() {
                    let indent = if i == 0 { "- " } else { "  " };
                    writeln!(out, "{indent}{line}")?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, out: &mut dyn Write) -> anyhow::Result<()> {
        let end = match (self.format, self.printed) {
            (DataFormat::Json, 0) => {
                "{\n  \"apiVersion\": \"v1\",\n  \"items\": [],\n  \"kind\": \"List\",\n  \"metadata\": {\n    \"resourceVersion\": \"\"\n  }\n}\n"
            }
            (DataFormat::Json, _) => {
                "\n  ],\n  \"kind\": \"List\",\n  \"metadata\": {\n    \"resourceVersion\": \"\"\n  }\n}\n"
            }
            (DataFormat::Yaml, 0) => {
                "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: \"\"\n"
            }
            (DataFormat::Yaml, _) => "kind: List\nmetadata:\n  resourceVersion: \"\"\n",
        };
        out.write_all(end.as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list(format: DataFormat, items: &[Value]) -> String {
        let mut out = Vec::new();
        let mut printer = ListPrinter::new(format);
        for item in items {
            printer.item(&mut out, item).unwrap();
        }
        printer.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_streamed_list_is_what_it_would_be_in_one_piece() {
        for items in [
            vec![],
            vec![
                json!({"kind": "Pod", "metadata": {"name": "a"}}),
                json!({"kind": "Pod"}),
            ],
        ] {
            let whole = json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}});
            assert_eq!(
                list(DataFormat::Json, &items),
                text(DataFormat::Json, &whole).unwrap()
            );
        }
    }

    #[test]
    fn a_yaml_list_reads_as_kubectls() {
        let items = [
            json!({"kind": "Pod", "metadata": {"name": "a"}}),
            json!({"kind": "Pod"}),
        ];
        assert_eq!(
            list(DataFormat::Yaml, &items),
            "\
apiVersion: v1
items:
- kind: Pod
  metadata:
    name: a
- kind: Pod
kind: List
metadata:
  resourceVersion: \"\"
"
        );
        assert_eq!(
            list(DataFormat::Yaml, &[]),
            "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: \"\"\n"
        );
    }
}
