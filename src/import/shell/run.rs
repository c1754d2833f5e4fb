//! A script gone through, line by line, to the command that starts QEMU. Nothing is run: commands are only looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::condition;
use super::expand::Variables;
use super::lexer::tokens;
use super::program;
use super::syntax::{Node, parse};
use super::words::{Part, Token, Word, is_name, literal};
use crate::import::Value;

/// A command line of QEMU.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The arguments behind the program.
    pub(super) arguments: Vec<Value>,
    /// Variables that it is given.
    pub(super) environment: Vec<(String, Value)>,
    /// A program is named, and so the command line is whole.
    pub(super) whole: bool,
}

/// What was found in a script.
#[derive(Debug, Default)]
pub(super) struct Script<'a> {
    pub(super) variables: Variables<'a>,
    /// The command lines, in order.
    pub(super) commands: Vec<Command>,
    /// What other commands are given to read or to say, which may hold what is looked for.
    pub(super) texts: Vec<Value>,
    /// Commands that start nothing are in the text as well.
    pub(super) other: bool,
    /// Names of variables that were set alone, in order.
    pub(super) set: Vec<String>,
    exported: BTreeSet<String>,
    functions: BTreeMap<String, Vec<Node>>,
    called: BTreeSet<String>,
    steps: usize,
    depth: usize,
}

/// How many commands are looked at, and how deep functions may call each other.
const MOST: usize = 20_000;
const DEEPEST: usize = 12;
/// How often a loop over words is gone through.
const ROUNDS: usize = 64;

impl<'a> Script<'a> {
    /// Goes through a text.
    ///
    /// # Errors
    /// Where a quote is left open.
    pub(super) fn read(
        text: &str,
        answers: &'a BTreeMap<String, String>,
    ) -> Result<Script<'a>, String> {
        let mut script = Script { variables: Variables::answered(answers), ..Script::default() };
        let first = text.lines().next().unwrap_or_default();
        script.variables.is_zsh = first.starts_with("#!") && first.contains("zsh");
        let nodes = parse(tokens(text)?);
        script.run(&nodes);
        // A function that nothing in the text calls is what the reader is to call.
        if script.commands.is_empty() {
            let uncalled: Vec<Vec<Node>> = script
                .functions
                .iter()
                .filter(|(name, body)| !script.called.contains(*name) && starts_qemu(body))
                .map(|(_, body)| body.clone())
                .collect();
            for body in uncalled {
                script.run(&body);
            }
        }
        Ok(script)
    }

    fn run(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.steps += 1;
            if self.steps > MOST {
                return;
            }
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Simple(tokens) => self.simple(tokens),
            Node::Group(body) => self.run(body),
            Node::Function(name, body) => {
                self.functions.insert(name.clone(), body.clone());
            }
            Node::If(branches, last) => self.branch(branches, last),
            Node::Loop(body) => {
                if starts_qemu(body) {
                    self.run(body);
                }
            }
            Node::For(name, values, body) => self.for_each(name, values, body),
            Node::Case(subject, arms) => self.case(subject, arms),
            Node::Chain(all) => self.chain(all),
        }
    }

    fn branch(&mut self, branches: &[(Vec<Node>, Vec<Node>)], last: &[Node]) {
        for (at, (condition, body)) in branches.iter().enumerate() {
            match condition::holds(&self.variables, condition) {
                Some(true) => return self.run(body),
                Some(false) => {}
                // What only the host could tell: the way that leads to QEMU is the one that is meant.
                None if starts_qemu(body) => return self.run(body),
                None => {
                    let later = branches[at + 1..].iter().any(|(_, body)| starts_qemu(body));
                    if !later && !starts_qemu(last) && !is_negative(condition) {
                        return self.run(body);
                    }
                }
            }
        }
        self.run(last);
    }

    fn for_each(&mut self, name: &str, values: &[Word], body: &[Node]) {
        if let Some(sums) = name.strip_prefix("((").and_then(|name| name.strip_suffix("))")) {
            return self.count(&sums.split(';').collect::<Vec<_>>(), body);
        }
        let fields: Vec<Value> =
            values.iter().flat_map(|word| self.variables.fields(word)).collect();
        for field in fields.into_iter().take(ROUNDS) {
            self.variables.set(name, false, vec![field], false);
            self.run(body);
        }
    }

    /// `for ((i = 0; i < 3; i++))`
    fn count(&mut self, sums: &[&str], body: &[Node]) {
        let [begin, condition, step] = sums else { return };
        let sum = |text: &str| [Part::Unknown(format!("(({text}))"))];
        self.counts(&sum(begin));
        for _ in 0..ROUNDS {
            if condition::computed(&self.variables, condition) != Some(true) {
                return;
            }
            self.run(body);
            if !self.counts(&sum(step)) {
                return;
            }
        }
    }

    fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, Vec<Node>)]) {
        let subject = self.variables.one(subject);
        let fits = |patterns: &[Word]| {
            patterns.iter().any(|one| condition::matches(&subject.text, &literal(one)))
        };
        if subject.open.is_empty() && !subject.text.is_empty() {
            if let Some((_, body)) = arms.iter().find(|(patterns, _)| fits(patterns)) {
                self.run(body);
            }
            return;
        }
        if let Some((_, body)) = arms.iter().find(|(_, body)| starts_qemu(body)) {
            self.run(body);
        }
    }

    fn chain(&mut self, all: &[(&'static str, Node)]) {
        let mut truth = None;
        for (sign, node) in all {
            let is_run = match *sign {
                "&&" => truth != Some(false),
                "||" => truth == Some(false),
                _ => true,
            };
            if is_run {
                self.node(node);
                truth = condition::holds(&self.variables, std::slice::from_ref(node));
            }
        }
    }

    fn simple(&mut self, given: &[Token]) {
        let mut fields: Vec<Value> = Vec::new();
        let mut assigned: Vec<(String, Value)> = Vec::new();
        let mut declares = false;
        for token in given {
            match token {
                Token::Array(name, adds, words) => {
                    self.array(name, *adds, words);
                    self.set.push(name.clone());
                    declares = true;
                }
                Token::Heredoc(body) => {
                    let value = self.variables.one(body);
                    self.texts.push(value);
                }
                Token::Word(Word(parts)) if fields.is_empty() && self.counts(parts) => return,
                Token::Word(word) => {
                    for (name, value) in self.variables.defaults(word) {
                        self.variables.set(&name, false, vec![value], false);
                    }
                    let is_declared = fields.first().is_some_and(|f| program::declares(&f.text));
                    if (fields.is_empty() || is_declared)
                        && let Some((name, adds, value)) = assignment(word)
                    {
                        let value = self.variables.one(&value);
                        self.assign(&mut assigned, &name, adds, value, fields.first());
                        continue;
                    }
                    if fields.is_empty()
                        && let Some((name, key, value)) = element(word)
                    {
                        let value = self.variables.one(&value);
                        self.variables.set_keyed(&name, true, vec![(key, value)]);
                        declares = true;
                        continue;
                    }
                    fields.extend(self.variables.fields(word));
                }
                Token::Test(_) | Token::Op(_) | Token::Line => {}
            }
        }
        let exports = fields.first().is_some_and(|first| first.text == "export");
        if exports {
            self.exported.extend(fields[1..].iter().map(|field| field.text.clone()));
        }
        let only_sets = fields.is_empty() || program::declares(&fields[0].text);
        if only_sets {
            for (name, value) in assigned {
                self.set.push(name.clone());
                if exports {
                    self.exported.insert(name.clone());
                }
                self.variables.set(&name, false, vec![value], false);
            }
            return;
        }
        if !declares {
            self.command(fields, assigned);
        }
    }

    /// One `NAME=value` before a command, or behind `export`: what is added to is known by then.
    fn assign(
        &mut self,
        assigned: &mut Vec<(String, Value)>,
        name: &str,
        adds: bool,
        value: Value,
        declared: Option<&Value>,
    ) {
        let mut whole = value;
        if adds {
            let before = assigned.iter().rfind(|(found, _)| found == name).map(|(_, v)| v.clone());
            let known = self.variables.values.get(name).and_then(|all| all.first().cloned());
            if let Some(mut before) = before.or(known) {
                before.append(&whole);
                whole = before;
            }
        }
        if declared.is_some() {
            self.variables.set(name, false, vec![whole.clone()], false);
        }
        assigned.push((name.to_owned(), whole));
    }

    fn command(&mut self, mut fields: Vec<Value>, mut assigned: Vec<(String, Value)>) {
        // An item of a list in YAML, or its only value.
        let is_item = fields[0].text == "-" || fields[0].text.ends_with(':');
        let is_start = fields.get(1).is_some_and(|word| program::is_program(&word.text))
            && fields.get(2).is_some_and(|word| program::is_known_option(&word.text));
        if is_item && (is_start || fields[0].text == "-") && fields.len() > 1 {
            fields.remove(0);
        }
        // An option on a line of its own goes on where the line before forgot its backslash.
        if fields[0].text.starts_with('-')
            && assigned.is_empty()
            && let Some(last) = self.commands.last_mut()
        {
            last.arguments.extend(fields);
            return;
        }
        if let Some(body) = self.functions.get(&fields[0].text).cloned() {
            return self.call(&fields, &body);
        }
        if program::is_option(&fields[0].text) {
            self.commands.push(Command { arguments: fields, environment: assigned, whole: false });
            return;
        }
        if let Some(text) = program::script_of(&fields) {
            return self.nested(&text);
        }
        if fields[0].text == "set" && fields.get(1).is_some_and(|word| word.text == "--") {
            self.variables.arguments = Some(fields.split_off(2));
            return;
        }
        if let Some(at) = program::place(&fields) {
            let arguments = fields.split_off(at + 1);
            for word in &fields[..at] {
                if let Some((name, value)) = word.text.split_once('=').filter(|(n, _)| is_name(n)) {
                    let value = Value { text: value.to_owned(), open: word.open.clone() };
                    assigned.push((name.to_owned(), value));
                }
            }
            if program::only_asks(&arguments) {
                return;
            }
            let mut environment = self.exports();
            environment.retain(|(name, _)| !assigned.iter().any(|(found, _)| found == name));
            environment.extend(assigned);
            self.commands.push(Command { arguments, environment, whole: true });
            return;
        }
        self.other = true;
        self.texts.extend(program::texts_of(&fields));
    }

    /// `((NAME++))`, `((NAME += 2))`, `((NAME = 1))`: whether it was one.
    fn counts(&mut self, parts: &[Part]) -> bool {
        let [Part::Unknown(text)] = parts else { return false };
        let Some(inner) = text.strip_prefix("((").and_then(|text| text.strip_suffix("))")) else {
            return false;
        };
        let inner = inner.trim();
        let name: String =
            inner.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let sum = match inner[name.len()..].trim() {
            "++" => format!("{name}+1"),
            "--" => format!("{name}-1"),
            rest => match (rest.strip_prefix("+="), rest.strip_prefix('=')) {
                (Some(other), _) => format!("{name}+{other}"),
                (None, Some(other)) => other.to_owned(),
                (None, None) => return false,
            },
        };
        let Some(number) = self.variables.sum(&sum).filter(|_| is_name(&name)) else {
            return false;
        };
        self.variables.set(&name, false, vec![Value::of(&number.to_string())], false);
        true
    }

    /// `NAME=(a b)` or `NAME=([key]=a [other]=b)`.
    fn array(&mut self, name: &str, adds: bool, words: &[Word]) {
        let pairs: Option<Vec<(String, Value)>> = words
            .iter()
            .map(|word| {
                let (key, value) = keyed(word)?;
                Some((key, self.variables.one(&value)))
            })
            .collect();
        match pairs.filter(|pairs| !pairs.is_empty()) {
            Some(pairs) => self.variables.set_keyed(name, adds, pairs),
            None => {
                let values = words.iter().flat_map(|word| self.variables.fields(word)).collect();
                self.variables.set(name, adds, values, true);
            }
        }
    }

    fn exports(&self) -> Vec<(String, Value)> {
        let value = |name: &String| self.variables.values.get(name)?.first().cloned();
        self.exported.iter().filter_map(|name| Some((name.clone(), value(name)?))).collect()
    }

    fn call(&mut self, fields: &[Value], body: &[Node]) {
        self.called.insert(fields[0].text.clone());
        if self.depth >= DEEPEST {
            return;
        }
        self.depth += 1;
        let before = self.variables.arguments.replace(fields[1..].to_vec());
        self.run(body);
        self.variables.arguments = before;
        self.depth -= 1;
    }

    /// Text that another shell would read: `eval`, `sh -c`.
    fn nested(&mut self, text: &Value) {
        if self.depth >= DEEPEST {
            return;
        }
        self.depth += 1;
        match tokens(&text.text) {
            Ok(found) => {
                let nodes = parse(found);
                self.run(&nodes);
            }
            Err(_) => self.texts.push(text.clone()),
        }
        self.depth -= 1;
    }
}

/// `NAME=value` or `NAME+=value` in one word: the name, whether it adds, the value.
fn assignment(word: &Word) -> Option<(String, bool, Word)> {
    let Part::Text(first, _) = word.0.first()? else { return None };
    let (name, value) = first.split_once('=')?;
    let (name, adds) = match name.strip_suffix('+') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if !is_name(name) {
        return None;
    }
    let mut parts = word.0.clone();
    let quoted = matches!(parts[0], Part::Text(_, true));
    parts[0] = Part::Text(value.to_owned(), quoted);
    // A value is one field, blanks and all.
    for part in &mut parts {
        if let Part::Parameter(_, _, quoted) = part {
            *quoted = true;
        }
    }
    Some((name.to_owned(), adds, Word(parts)))
}

/// `NAME[key]=value`: the name, the key, the value.
fn element(word: &Word) -> Option<(String, String, Word)> {
    let Part::Text(first, false) = word.0.first()? else { return None };
    let (name, rest) = first.split_once('[')?;
    let mut parts = word.0.clone();
    parts[0] = Part::Text(format!("[{rest}"), false);
    let (key, value) = keyed(&Word(parts))?;
    is_name(name).then(|| (name.to_owned(), key, value))
}

/// `[key]=value`: the key and the value.
fn keyed(word: &Word) -> Option<(String, Word)> {
    let Part::Text(first, false) = word.0.first()? else { return None };
    let (key, value) = first.strip_prefix('[')?.split_once("]=")?;
    let mut parts = word.0.clone();
    parts[0] = Part::Text(value.to_owned(), false);
    Some((key.to_owned(), Word(parts)))
}

fn is_negative(condition: &[Node]) -> bool {
    let Some(Node::Simple(tokens)) = condition.last() else { return false };
    tokens.iter().any(|token| match token {
        Token::Word(word) => word.plain() == Some("!"),
        Token::Test(inner) => inner.split_whitespace().any(|word| word == "!"),
        Token::Array(..) | Token::Op(_) | Token::Line | Token::Heredoc(_) => false,
    })
}

/// Whether QEMU is started somewhere in some commands.
fn starts_qemu(nodes: &[Node]) -> bool {
    let named = |tokens: &[Token]| {
        tokens.iter().any(|token| match token {
            Token::Word(word) => program::is_program(&literal(word)),
            Token::Array(..) | Token::Test(_) | Token::Op(_) | Token::Line | Token::Heredoc(_) => {
                false
            }
        })
    };
    nodes.iter().any(|node| match node {
        Node::Simple(tokens) => named(tokens),
        Node::Group(body) | Node::Loop(body) | Node::For(_, _, body) | Node::Function(_, body) => {
            starts_qemu(body)
        }
        Node::If(branches, last) => {
            branches.iter().any(|(_, body)| starts_qemu(body)) || starts_qemu(last)
        }
        Node::Case(_, arms) => arms.iter().any(|(_, body)| starts_qemu(body)),
        Node::Chain(all) => all.iter().any(|(_, node)| starts_qemu(std::slice::from_ref(node))),
    })
}
