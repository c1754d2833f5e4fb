//! Planning a property in `<qemu:override>`: what `-set` did before libvirt wrote its devices as JSON.

use super::document::{Document, VerbError, is_ours};
use super::{QEMU_NAMESPACE, style};
use crate::xml::{Edit, EditSet, escape::as_libvirt};

impl Document {
    /// Plans a property of a device that libvirt makes; one of the same name is replaced.
    ///
    /// `kind` is `string`, `signed`, `unsigned` or `bool`, as libvirt's schema has them.
    ///
    /// # Errors
    /// When the document has no place for it.
    pub fn override_property(&self, alias: &str, name: &str, kind: &str, value: &str) -> Result<EditSet, VerbError> {
        let tree = self.tree();
        let mut edits = EditSet::new();
        let there = tree.children(0).find(|(_, child)| is_ours(child, "override"));
        let prefix = there.map_or("qemu", |(_, element)| element.prefix().unwrap_or_default());
        let name_of = |local: &str| if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") };
        let property = format!(
            "<{} name='{}' type='{kind}' value='{}'/>",
            name_of("property"),
            as_libvirt(name),
            as_libvirt(value)
        );
        let device = there.and_then(|(index, _)| {
            tree.children(index).find(|(_, child)| {
                is_ours(child, "device") && child.property("alias").is_some_and(|found| found.value == alias)
            })
        });
        let frontend = device.and_then(|(index, _)| tree.children(index).find(|(_, child)| is_ours(child, "frontend")));
        if let Some((index, _)) = frontend {
            let same = tree.children(index).find(|(_, child)| {
                is_ours(child, "property") && child.property("name").is_some_and(|found| found.value == name)
            });
            edits.push(match same {
                Some((_, same)) => Edit::replace(same.span(), property),
                None => self.last_child(index, &[property])?,
            })?;
            return Ok(edits);
        }
        let inside =
            vec![format!("<{}>", name_of("frontend")), format!("  {property}"), format!("</{}>", name_of("frontend"))];
        if let Some((index, _)) = device {
            edits.push(self.last_child(index, &inside)?)?;
            return Ok(edits);
        }
        let lines: Vec<String> = [format!("<{} alias='{}'>", name_of("device"), as_libvirt(alias))]
            .into_iter()
            .chain(inside.into_iter().map(|line| format!("  {line}")))
            .chain([format!("</{}>", name_of("device"))])
            .collect();
        if let Some((index, _)) = there {
            edits.push(self.last_child(index, &lines)?)?;
            return Ok(edits);
        }
        let declared = tree.root().binding(Some("qemu")).is_some_and(|binding| binding.value == QEMU_NAMESPACE);
        let own = if declared { String::new() } else { format!(" xmlns:qemu='{QEMU_NAMESPACE}'") };
        let lines: Vec<String> = [format!("<qemu:override{own}>")]
            .into_iter()
            .chain(lines.into_iter().map(|line| format!("  {line}")))
            .chain(["</qemu:override>".to_owned()])
            .collect();
        let source = self.source();
        let last = tree.children(0).last().ok_or_else(|| VerbError("the domain is empty".to_owned()))?.1;
        let end = style::line_end(source);
        let text: String = match style::own_line(source, last.open.start) {
            Some(_) => {
                let indent = style::indent(source, last.open.start);
                lines.iter().map(|line| format!("{end}{indent}{line}")).collect()
            }
            None => lines.iter().map(|line| line.trim_start()).collect(),
        };
        edits.push(Edit::insert(last.span().end, text))?;
        Ok(edits)
    }
}
