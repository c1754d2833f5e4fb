//! Planning native elements: a new child somewhere below the domain, written as its neighbours are.

use super::{ALONE, VerbError};
use crate::domain::document::Document;
use crate::domain::style;
use crate::xml::{Edit, EditSet, Element};

impl Document {
    /// Plans an element as the last child of `parents`, a way of names below the domain; what is missing of it is made.
    /// Its lines are indented by two blanks for each level from its own.
    ///
    /// With no parents it comes after `<devices>`, as a child of the domain.
    ///
    /// # Errors
    /// When the document has no place for it.
    pub fn add_element(&self, parents: &[&str], lines: &[String]) -> Result<EditSet, VerbError> {
        if self.is_fragment() {
            return Err(VerbError(ALONE.to_owned()));
        }
        let tree = self.tree();
        let mut at = 0;
        let mut depth = 0;
        for name in parents {
            let Some((index, _)) =
                tree.child(at, name).filter(|(_, found)| found.namespace.is_none())
            else {
                break;
            };
            at = index;
            depth += 1;
        }
        let mut lines = lines.to_vec();
        for name in parents[depth..].iter().rev() {
            let inner = lines.iter().map(|line| format!("  {line}"));
            lines = [format!("<{name}>")]
                .into_iter()
                .chain(inner)
                .chain([format!("</{name}>")])
                .collect();
        }
        let mut edits = EditSet::new();
        edits.push(self.last_child(at, &lines)?)?;
        Ok(edits)
    }

    /// Lines as the last child of an element, below its other children or inside it.
    pub(super) fn last_child(&self, parent: usize, lines: &[String]) -> Result<Edit, VerbError> {
        let (source, tree) = (self.source(), self.tree());
        let devices = || tree.children(0).filter(|(_, child)| child.name == "devices").last();
        let neighbour =
            if parent == 0 { devices() } else { None }.or_else(|| tree.children(parent).last());
        let end = style::line_end(source);
        if let Some((_, neighbour)) = neighbour {
            let at = neighbour.span().end;
            return Ok(match style::own_line(source, neighbour.open.start) {
                Some(_) => {
                    let indent = style::indent(source, neighbour.open.start);
                    Edit::insert(
                        at,
                        lines.iter().map(|line| format!("{end}{indent}{line}")).collect::<String>(),
                    )
                }
                None => {
                    Edit::insert(at, lines.iter().map(|line| line.trim_start()).collect::<String>())
                }
            });
        }
        let element: &Element = &tree.elements[parent];
        if !element.text.trim().is_empty() {
            return Err(VerbError(format!("<{}> holds text, expected elements", element.name)));
        }
        let indent = style::indent(source, element.open.start);
        let inner = style::deeper(indent);
        let text: String = lines.iter().map(|line| format!("{end}{inner}{line}")).collect();
        Ok(match &element.close {
            None => {
                let kept = source[element.open.clone()].trim_end_matches("/>").trim_end().len();
                let text = format!(">{text}{end}{indent}</{}>", element.name);
                Edit::replace(element.open.start + kept..element.open.end, text)
            }
            Some(close) => {
                Edit::replace(element.open.end..close.start, format!("{text}{end}{indent}"))
            }
        })
    }
}
