//! Planning a property in `<qemu:override>`: what `-set` did before libvirt wrote its devices as JSON.

use super::VerbError;
use crate::domain::document::Document;
use crate::domain::extras::{self, Extra};
use crate::domain::namespace::is_ours;
use crate::xml::{EditSet, escape::attribute};

impl Document {
    /// Plans a property of a device that libvirt makes; one of the same name is replaced.
    ///
    /// `kind` is `string`, `signed`, `unsigned` or `bool`, as libvirt's schema has them, or `remove` without a value.
    ///
    /// # Errors
    /// When the document has no place for it.
    pub fn override_property(
        &self,
        alias: &str,
        name: &str,
        kind: &str,
        value: Option<&str>,
    ) -> Result<EditSet, VerbError> {
        let tree = self.tree();
        let mut edits = EditSet::new();
        let there = tree.children(0).find(|(_, child)| is_ours(child, "override"));
        let prefix = there.map_or("qemu", |(_, element)| element.prefix().unwrap_or_default());
        let name_of = |local: &str| {
            if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
        };
        let extra = Extra::Property {
            alias: alias.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            value: value.map(str::to_owned),
        };
        let ascii = tree.foreign_encoding.is_some();
        let property = extras::written(&extra, Some(prefix), ascii)?;
        let quoted = attribute(alias, '\'', ascii)?;
        let device = there.and_then(|(index, _)| {
            tree.children(index).find(|(_, child)| {
                is_ours(child, "device")
                    && child.property("alias").is_some_and(|found| found.value == alias)
            })
        });
        let frontend = device.and_then(|(index, _)| {
            tree.children(index).find(|(_, child)| is_ours(child, "frontend"))
        });
        if let Some((index, _)) = frontend {
            let same = tree.children(index).find(|(_, child)| {
                is_ours(child, "property")
                    && child.property("name").is_some_and(|found| found.value == name)
            });
            edits.push(match same {
                Some((_, same)) => self.in_place(same, &extra)?,
                None => self.last_child(index, &[property])?,
            })?;
            return Ok(edits);
        }
        let inside = vec![
            format!("<{}>", name_of("frontend")),
            format!("  {property}"),
            format!("</{}>", name_of("frontend")),
        ];
        if let Some((index, _)) = device {
            edits.push(self.last_child(index, &inside)?)?;
            return Ok(edits);
        }
        let lines: Vec<String> = [format!("<{} alias='{}'>", name_of("device"), quoted)]
            .into_iter()
            .chain(inside.into_iter().map(|line| format!("  {line}")))
            .chain([format!("</{}>", name_of("device"))])
            .collect();
        if let Some((index, _)) = there {
            edits.push(self.last_child(index, &lines)?)?;
            return Ok(edits);
        }
        let lines: Vec<String> = ["<qemu:override>".to_owned()]
            .into_iter()
            .chain(lines.into_iter().map(|line| format!("  {line}")))
            .chain(["</qemu:override>".to_owned()])
            .collect();
        self.append_block(&lines)
    }
}
