//! From text to elements with spans; the one user of quick-xml.
//!
//! The scanner is as strict as libxml2 about what is well-formed (quick-xml alone lets fourteen kinds of broken text pass)
//! and as lenient as libvirt about namespaces: an undeclared prefix is not an error there, the element is just not seen.

use quick_xml::Reader;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};

use super::cook::Entities;
use super::edit::Span;
use super::escape::first_bad;
use super::names::is_name;
use super::tree::{Attribute, Element, Tree};
use super::{XmlError, position};

/// libxml2 stops at this depth (XML_MAX_DEPTH without XML_PARSE_HUGE).
const MAX_DEPTH: usize = 256;

/// The largest document that virsh reads (VSH_MAX_XML_FILE, 10 MiB).
pub const MAX_BYTES: usize = 10 << 20;

/// Reads a document.
///
/// # Errors
/// The first place that is not well-formed as libxml2 has it, with what was expected there.
pub fn scan(source: &str) -> Result<Tree, XmlError> {
    if source.len() > MAX_BYTES {
        return Err(XmlError::at(
            0,
            format!("the document is {} bytes long, virsh reads at most {MAX_BYTES}", source.len()),
        ));
    }
    let body = source.strip_prefix('\u{feff}').unwrap_or(source);
    if body.starts_with('\u{feff}') {
        // quick-xml takes a second one for itself, and every place would be wrong by it.
        let at = source.len() - body.len();
        return Err(XmlError::at(at, "a second byte order mark, expected <domain> or a comment"));
    }
    let shift = source.len() - body.len();
    // The mark itself is a character that XML can hold.
    if let Some((at, c)) = first_bad(source) {
        return Err(XmlError::at(
            at,
            format!("XML 1.0 cannot hold the character U+{:04X}", u32::from(c)),
        ));
    }
    let mut scanner = Scanner {
        source,
        shift,
        entities: Entities::default(),
        tree: Tree { elements: Vec::new(), comments: Vec::new(), foreign_encoding: None },
        open: Vec::new(),
    };
    let mut reader = Reader::from_str(body);
    reader.config_mut().check_comments = true;
    loop {
        let start = at(reader.buffer_position()) + shift;
        let event = reader.read_event().map_err(|error| {
            let said = at(reader.error_position()) + shift;
            let place = hyphens(&error, source, start).unwrap_or(said.max(start)).min(source.len());
            // It counts bytes; a place is that of a letter.
            let letter = (0..=place).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
            XmlError::at(letter, syntax(&error))
        })?;
        let span = start..at(reader.buffer_position()) + shift;
        if let Event::Eof = event {
            break;
        }
        scanner.event(event, span)?;
    }
    scanner.finish()
}

fn at(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// Where `--` stands in the comment at `start`, if that is what is wrong: quick-xml counts from its end.
fn hyphens(error: &quick_xml::Error, source: &str, start: usize) -> Option<usize> {
    let quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::DoubleHyphenInComment) =
        error
    else {
        return None;
    };
    let inside = source.get(start..)?.strip_prefix("<!--")?;
    Some(source.len() - inside.len() + inside.find("--")?)
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the other errors have words of their own")]
fn syntax(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::MismatchedEndTag {
            expected,
            found,
        }) => {
            format!("</{found}> closes <{expected}>, expected </{expected}>")
        }
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::UnmatchedEndTag(found)) => {
            format!("</{found}> closes nothing, expected an element that is open")
        }
        quick_xml::Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference) => {
            "'&' does not begin a reference, expected '&amp;'".to_owned()
        }
        other => {
            let text = other.to_string();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            format!("not well-formed XML: {}", text.trim_end_matches('.').replace('`', "'"))
        }
    }
}

struct Scanner<'a> {
    source: &'a str,
    /// Bytes of a byte order mark, which quick-xml's positions would leave out.
    shift: usize,
    entities: Entities,
    tree: Tree,
    /// The elements that are open, outermost first.
    open: Vec<usize>,
}

impl Scanner<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), XmlError> {
        match event {
            Event::Start(tag) => self.start(&tag, span),
            Event::Empty(tag) => self.element(&tag, span).map(drop),
            Event::End(tag) => self.end(&tag, span),
            Event::Text(_) | Event::GeneralRef(_) => self.text(span),
            Event::CData(_) => self.data(&span),
            Event::Comment(_) => {
                self.tree.comments.push(span);
                Ok(())
            }
            Event::Decl(declaration) => self.declaration(&declaration, &span),
            Event::PI(instruction) => instruction_target(instruction.target(), &span),
            Event::DocType(_) => self.document_type(span),
            Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, span: Span) -> Result<(), XmlError> {
        let index = self.element(tag, span)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::at(
                self.tree.elements[index].open.start,
                format!("elements nest deeper than {MAX_DEPTH}, where libxml2 stops"),
            ));
        }
        self.open.push(index);
        Ok(())
    }

    fn end(&mut self, tag: &BytesEnd<'_>, span: Span) -> Result<(), XmlError> {
        let name = tag.name().0.trim_end();
        // quick-xml compared the names; here only what stands after the name is left to check.
        let after_name = &self.source[span.start + 2 + name.len()..span.end - 1];
        if after_name.contains(|c: char| !c.is_ascii_whitespace()) {
            return Err(XmlError::at(
                span.start,
                format!("</{name}> has text after its name, expected '>'"),
            ));
        }
        let index = self.open.pop().expect("quick-xml refuses an end tag that closes nothing");
        self.tree.elements[index].close = Some(span);
        Ok(())
    }

    fn data(&mut self, span: &Span) -> Result<(), XmlError> {
        let Some(&index) = self.open.last() else { return Err(self.outside(span)) };
        let inside = &self.source[span.start + "<![CDATA[".len()..span.end - "]]>".len()];
        self.tree.elements[index].text.push_str(inside);
        Ok(())
    }

    fn declaration(&mut self, declaration: &BytesDecl<'_>, span: &Span) -> Result<(), XmlError> {
        if span.start != self.shift {
            return Err(declaration_not_first(span));
        }
        let version = declaration.version().map_err(|_| {
            XmlError::at(span.start, "the XML declaration has no version, expected version=\"1.0\"")
        })?;
        if version != "1.0" {
            return Err(XmlError::at(
                span.start,
                format!("the document says XML version {version}, libvirt reads 1.0"),
            ));
        }
        if let Some(Ok(encoding)) = declaration.encoding()
            && !["utf-8", "utf8", "us-ascii", "ascii"]
                .contains(&encoding.to_ascii_lowercase().as_str())
        {
            self.tree.foreign_encoding = Some(encoding.into_owned());
        }
        Ok(())
    }

    fn document_type(&mut self, span: Span) -> Result<(), XmlError> {
        if !self.tree.elements.is_empty() {
            return Err(XmlError::at(
                span.start,
                "the document type declaration stands after the root element, expected it before",
            ));
        }
        let start = span.start;
        self.entities = Entities::read(&self.source[span], start)?;
        Ok(())
    }

    fn outside(&self, span: &Span) -> XmlError {
        let blank = self.source[span.clone()].find(|c: char| !c.is_ascii_whitespace()).unwrap_or(0);
        let expected = if self.tree.elements.is_empty() {
            "expected <domain> first"
        } else {
            "expected nothing after the root element"
        };
        XmlError::at(
            span.start + blank,
            format!("text stands outside the root element, {expected}"),
        )
    }

    fn text(&mut self, span: Span) -> Result<(), XmlError> {
        let raw = &self.source[span.clone()];
        let Some(&index) = self.open.last() else {
            return if raw.bytes().all(|b| b.is_ascii_whitespace()) {
                Ok(())
            } else {
                Err(self.outside(&span))
            };
        };
        if let Some(at) = raw.find("]]>") {
            return Err(XmlError::at(span.start + at, "']]>' stands in text, expected ']]&gt;'"));
        }
        if raw.bytes().all(|b| b.is_ascii_whitespace()) {
            return Ok(());
        }
        let cooked = self.entities.text(raw, span.start)?;
        self.tree.elements[index].text.push_str(&cooked);
        Ok(())
    }

    fn element(&mut self, tag: &BytesStart<'_>, span: Span) -> Result<usize, XmlError> {
        let name = tag.name().0.to_owned();
        if !is_name(&name) {
            return Err(XmlError::at(
                span.start,
                format!(
                    "'<{name}' does not begin an element, expected a name after '<' or '&lt;' for the sign itself"
                ),
            ));
        }
        let parent = self.open.last().copied();
        if parent.is_none() && !self.tree.elements.is_empty() {
            return Err(XmlError::at(
                span.start,
                format!("<{name}> is a second root element, expected nothing after the first"),
            ));
        }
        let attributes = self.attributes(tag, &span)?;
        let index = self.tree.elements.len();
        if let Some(parent) = parent {
            self.tree.elements[parent].children.push(index);
        }
        self.tree.elements.push(Element {
            name,
            namespace: None,
            undeclared_prefix: false,
            parent,
            children: Vec::new(),
            attributes,
            open: span,
            close: None,
            text: String::new(),
        });
        let prefix = self.tree.elements[index].prefix().map(str::to_owned);
        let (namespace, undeclared_prefix) = self.resolve(index, prefix.as_deref());
        self.tree.elements[index].namespace = namespace;
        self.tree.elements[index].undeclared_prefix = undeclared_prefix;
        Ok(index)
    }

    /// The namespace of a prefix at an element, and whether the prefix is declared nowhere.
    fn resolve(&self, index: usize, prefix: Option<&str>) -> (Option<String>, bool) {
        if prefix == Some("xml") {
            return (Some("http://www.w3.org/XML/1998/namespace".to_owned()), false);
        }
        let mut at = Some(index);
        while let Some(index) = at {
            let element = &self.tree.elements[index];
            if let Some(binding) = element.binding(prefix) {
                return (
                    Some(binding.value.clone()).filter(|uri| !uri.is_empty()),
                    prefix.is_some() && binding.value.is_empty(),
                );
            }
            at = element.parent;
        }
        (None, prefix.is_some())
    }

    fn attributes(&self, tag: &BytesStart<'_>, span: &Span) -> Result<Vec<Attribute>, XmlError> {
        // `tag` borrows from the body; its content begins one byte into the markup.
        let content = span.start + 1;
        let base = &self.source[content..];
        let mut attributes: Vec<Attribute> = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| attribute_error(&error, content))?;
            let name = attribute.key.0;
            let start = offset_in(self.source, name)
                .ok_or_else(|| XmlError::at(span.start, "the start tag cannot be read"))?;
            let value = offset_in(self.source, &attribute.value).unwrap_or(start + name.len());
            debug_assert!(value >= content && value <= content + base.len());
            if !is_name(name) {
                return Err(XmlError::at(
                    start,
                    format!("'{name}' is not the name of an attribute, expected letters first"),
                ));
            }
            if !self.source[..start].ends_with(|c: char| c.is_ascii_whitespace()) {
                return Err(XmlError::at(
                    start,
                    format!(
                        "the attribute '{name}' stands right after another, expected a blank between them"
                    ),
                ));
            }
            attributes.push(Attribute {
                name: name.to_owned(),
                value: self.entities.attribute(&attribute.value, value)?,
                name_span: start..start + name.len(),
                value_span: value..value + attribute.value.len(),
                quote: if self.source[..value].ends_with('"') { '"' } else { '\'' },
            });
        }
        Ok(attributes)
    }

    fn finish(self) -> Result<Tree, XmlError> {
        let end = self.source.len();
        if let Some(&index) = self.open.last() {
            let element = &self.tree.elements[index];
            let line = position(self.source, element.open.start).line;
            return Err(XmlError::at(
                end,
                format!(
                    "the document ends inside <{}> of line {line}, expected </{0}>",
                    element.name
                ),
            ));
        }
        if self.tree.elements.is_empty() {
            return Err(XmlError::at(end, "the document holds no element, expected <domain>"));
        }
        if let (Some(encoding), Some(at)) =
            (&self.tree.foreign_encoding, self.source.find(|c: char| !c.is_ascii()))
            && (encoding.to_ascii_lowercase().starts_with("utf-16")
                || encoding.to_ascii_lowercase().starts_with("iso-8859"))
        {
            return Err(XmlError::at(
                at,
                format!(
                    "the document declares the encoding {encoding} but is written in UTF-8, expected them to agree"
                ),
            ));
        }
        Ok(self.tree)
    }
}

fn declaration_not_first(span: &Span) -> XmlError {
    XmlError::at(
        span.start,
        "the XML declaration is not at the start of the document, expected it first or not at all",
    )
}

/// The name of a processing instruction: it must be one, and not that of the declaration.
fn instruction_target(target: &str, span: &Span) -> Result<(), XmlError> {
    if target.eq_ignore_ascii_case("xml") {
        return Err(declaration_not_first(span));
    }
    if !is_name(target) {
        return Err(XmlError::at(
            span.start,
            format!("'{target}' is not the name of a processing instruction"),
        ));
    }
    Ok(())
}

/// Where `part` begins in `whole`, when it is a piece of the same text.
fn offset_in(whole: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (offset + part.len() <= whole.len()).then_some(offset)
}

fn attribute_error(error: &AttrError, content: usize) -> XmlError {
    let (at, message) = match error {
        AttrError::ExpectedEq(at) => {
            (*at, "an attribute has no value, expected name='value'".to_owned())
        }
        AttrError::ExpectedValue(at) => {
            (*at, "an attribute has no value after '=', expected a quoted one".to_owned())
        }
        AttrError::UnquotedValue(at) => {
            (*at, "an attribute's value is not quoted, expected name='value'".to_owned())
        }
        AttrError::ExpectedQuote(at, quote) => {
            (*at, format!("an attribute's value has no end, expected {}", char::from(*quote)))
        }
        AttrError::Duplicated(at, _) => {
            (*at, "an attribute stands twice in one tag, expected it once".to_owned())
        }
    };
    XmlError::at(content + at, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_byte_order_mark_is_refused_with_its_place() {
        let error = scan("\u{feff}\u{feff}<domain/>").unwrap_err();
        assert_eq!((error.offset, error.message.contains("second byte order mark")), (3, true));
    }

    fn names(source: &str) -> Vec<String> {
        scan(source).unwrap().elements.into_iter().map(|element| element.name).collect()
    }

    fn refused(source: &str) -> XmlError {
        match scan(source) {
            Ok(tree) => panic!("{source:?} was read as {tree:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn places_of_errors_are_letters() {
        for source in ["<a><!-- x -- yéééééééééé é --></a>", "<a><!-- éé -- \u{feff}é --></a>"]
        {
            assert_eq!(refused(source).offset, source.find(" -- ").unwrap() + 1, "{source}");
        }
        for source in ["<a é", "<a b='é", "<!-- é", "<a>&é", "<a><é", "<?é", "</é>", "<!é"]
        {
            assert!(source.is_char_boundary(refused(source).offset), "{source}");
        }
    }

    #[test]
    fn spans_give_back_the_markup() {
        let source = "\u{feff}<?xml version='1.0'?>\r\n<a x = \"1\"><b y='&lt;2'/>t&amp;<![CDATA[<&]]></a>\n";
        let tree = scan(source).unwrap();
        assert_eq!(&source[tree.elements[1].span()], "<b y='&lt;2'/>");
        assert_eq!(&source[tree.root().attributes[0].value_span.clone()], "1");
        assert_eq!(tree.elements[1].attributes[0].value, "<2");
        assert_eq!(tree.root().text, "t&<&");
    }

    #[test]
    fn namespaces_follow_their_declarations() {
        let tree = scan("<d xmlns:q='u&#x31;'><q:a/><p:b/><c xmlns='v'><e/></c></d>").unwrap();
        let namespaces: Vec<_> = tree.elements.iter().map(|e| e.namespace.as_deref()).collect();
        assert_eq!(namespaces, [None, Some("u1"), None, Some("v"), Some("v")]);
        assert!(tree.elements[2].undeclared_prefix);
    }

    #[test]
    fn what_libxml2_refuses_is_refused() {
        for (source, offset) in [
            ("", 0),
            ("<a>", 3),
            ("<a></b>", 3),
            ("<a/><b/>", 4),
            ("x<a/>", 0),
            ("<a/>x", 4),
            (" <?xml version='1.0'?><a/>", 1),
            ("<a b='<'/>", 6),
            ("<a b='1'c='2'/>", 8),
            ("<a 1b='1'/>", 3),
            ("<1a/>", 0),
            ("<a b='1' b='2'/>", 9),
            ("<a>]]></a>", 3),
            ("<a>\u{1}</a>", 3),
            ("<a>\u{fffe}</a>", 3),
            ("<a>&x;</a>", 3),
            ("<a b='&x;'/>", 6),
            ("<a b='&'/>", 6),
            ("<a b='&#0;'/>", 6),
            ("<a b=1/>", 5),
            ("<a b/>", 4),
            ("<?xml version='1.1'?><a/>", 0),
        ] {
            let error = refused(source);
            assert_eq!(error.offset, offset, "{source:?}: {error:?}");
        }
        for source in [
            "<a",
            "<a b='1",
            "<!-- a -- b --><a/>",
            "<a><!-- </a>",
            "<a>&amp</a>",
            "<!DOCTYPE a",
            "<a></a b>",
        ] {
            refused(source);
        }
        refused(&"<a>".repeat(300));
    }

    #[test]
    fn internal_entities_are_expanded_and_do_not_explode() {
        let tree = scan("<!DOCTYPE d [<!ENTITY e \"x&#38;#60;\">]><d a='&e;'>&e;</d>").unwrap();
        assert_eq!(tree.root().attributes[0].value, "x<");
        let mut laughs = String::from("<!DOCTYPE d [<!ENTITY a0 'ha'>");
        for n in 1..30 {
            laughs.push_str(&format!("<!ENTITY a{n} '&a{0};&a{0};&a{0};&a{0};'>", n - 1));
        }
        refused(&format!("{laughs}]><d a='&a19;'/>"));
        refused("<!DOCTYPE d [<!ENTITY a '&a;'>]><d a='&a;'/>");
    }

    #[test]
    fn names_may_be_in_any_language() {
        assert_eq!(names("<größe x-y.z='1'/>"), ["größe"]);
    }
}
