//! From tokens to commands, with the conditions, loops and functions around them. Reading never fails: what closes nothing is passed
//! over.

use super::words::{Token, Word};

/// A command, or what stands around commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Words, arrays, tests and what is given to read.
    Simple(Vec<Token>),
    /// Conditions with their branches, and the last branch.
    If(Vec<(Vec<Node>, Vec<Node>)>, Vec<Node>),
    /// The variable, its values, the body.
    For(String, Vec<Word>, Vec<Node>),
    /// `while` and `until`: the body.
    Loop(Vec<Node>),
    /// What is compared, with each pattern's body.
    Case(Word, Vec<(Vec<Word>, Vec<Node>)>),
    /// A function that may be called.
    Function(String, Vec<Node>),
    /// `{ … }` and `( … )`.
    Group(Vec<Node>),
    /// Commands joined by `&&`, `||` or a pipe: the sign before each.
    Chain(Vec<(&'static str, Node)>),
}

/// How deep conditions and groups may stand in each other.
const DEEPEST: usize = 64;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// The commands of a text.
pub(super) fn parse(tokens: Vec<Token>) -> Vec<Node> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let mut nodes = Vec::new();
    while parser.at < parser.tokens.len() {
        nodes.extend(parser.list(&[]));
        // What closes nothing.
        parser.at += 1;
    }
    nodes
}

impl Parser {
    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.at)? {
            Token::Word(word) => word.plain(),
            Token::Array(..) | Token::Test(_) | Token::Op(_) | Token::Line | Token::Heredoc(_) => {
                None
            }
        }
    }

    fn op(&self) -> Option<&'static str> {
        match self.tokens.get(self.at)? {
            Token::Op(sign) => Some(sign),
            Token::Word(_)
            | Token::Array(..)
            | Token::Test(_)
            | Token::Line
            | Token::Heredoc(_) => None,
        }
    }

    fn is_end_of_command(&self) -> bool {
        matches!(self.tokens.get(self.at), None | Some(Token::Line | Token::Op(_)))
    }

    fn skip_ends(&mut self) {
        while matches!(self.tokens.get(self.at), Some(Token::Line | Token::Op(";" | "&"))) {
            self.at += 1;
        }
    }

    /// Commands up to one of some words, or to a bracket that closes; neither is taken.
    fn list(&mut self, until: &[&str]) -> Vec<Node> {
        let mut nodes = Vec::new();
        loop {
            self.skip_ends();
            if self.at >= self.tokens.len() || matches!(self.op(), Some(")" | ";;")) {
                return nodes;
            }
            if self.word().is_some_and(|word| until.contains(&word)) {
                return nodes;
            }
            let before = self.at;
            nodes.extend(self.chain());
            if self.at == before {
                self.at += 1;
            }
        }
    }

    fn chain(&mut self) -> Option<Node> {
        let first = self.command()?;
        let mut all = vec![("", first)];
        while let Some(sign @ ("&&" | "||" | "|" | "|&")) = self.op() {
            self.at += 1;
            while matches!(self.tokens.get(self.at), Some(Token::Line)) {
                self.at += 1;
            }
            let Some(next) = self.command() else { break };
            all.push((sign, next));
        }
        if all.len() == 1 { all.pop().map(|(_, node)| node) } else { Some(Node::Chain(all)) }
    }

    fn command(&mut self) -> Option<Node> {
        if self.depth >= DEEPEST {
            self.at = self.tokens.len();
            return None;
        }
        self.depth += 1;
        let node = self.compound();
        self.depth -= 1;
        node
    }

    fn compound(&mut self) -> Option<Node> {
        if self.op() == Some("(") {
            self.at += 1;
            let body = self.list(&[]);
            self.at += usize::from(self.op() == Some(")"));
            return Some(Node::Group(body));
        }
        match self.word() {
            Some("if") => Some(self.condition()),
            Some("for" | "select") => Some(self.for_loop()),
            Some("while" | "until") => {
                self.at += 1;
                self.list(&["do"]);
                Some(Node::Loop(self.body()))
            }
            Some("case") => Some(self.case()),
            Some("{") => {
                self.at += 1;
                let body = self.list(&["}"]);
                self.take("}");
                Some(Node::Group(body))
            }
            Some("function") => {
                self.at += 1;
                let name = self.word().unwrap_or_default().to_owned();
                self.at += 1;
                if self.op() == Some("()") {
                    self.at += 1;
                }
                Some(self.function(name))
            }
            Some(name) if matches!(self.tokens.get(self.at + 1), Some(Token::Op("()"))) => {
                let name = name.to_owned();
                self.at += 2;
                Some(self.function(name))
            }
            _ => self.simple(),
        }
    }

    fn take(&mut self, word: &str) {
        self.skip_ends();
        if self.word() == Some(word) {
            self.at += 1;
        }
    }

    fn function(&mut self, name: String) -> Node {
        self.skip_ends();
        let body = self.command().map(|node| vec![node]).unwrap_or_default();
        Node::Function(name, body)
    }

    /// `do … done`.
    fn body(&mut self) -> Vec<Node> {
        self.take("do");
        let body = self.list(&["done"]);
        self.take("done");
        body
    }

    fn condition(&mut self) -> Node {
        let mut branches = Vec::new();
        let mut last = Vec::new();
        loop {
            self.at += 1;
            let condition = self.list(&["then"]);
            self.take("then");
            branches.push((condition, self.list(&["elif", "else", "fi"])));
            if self.word() != Some("elif") {
                break;
            }
        }
        if self.word() == Some("else") {
            self.at += 1;
            last = self.list(&["fi"]);
        }
        self.take("fi");
        Node::If(branches, last)
    }

    fn for_loop(&mut self) -> Node {
        self.at += 1;
        // `for ((…; …; …))` has its sums where others have a name.
        let name = match self.tokens.get(self.at) {
            Some(Token::Word(word)) => super::words::literal(word),
            _ => String::new(),
        };
        self.at += 1;
        let mut values = Vec::new();
        self.skip_ends();
        if self.word() == Some("in") {
            self.at += 1;
            while !self.is_end_of_command() {
                if let Some(Token::Word(word)) = self.tokens.get(self.at) {
                    values.push(word.clone());
                }
                self.at += 1;
            }
        }
        Node::For(name, values, self.body())
    }

    fn case(&mut self) -> Node {
        self.at += 1;
        let subject = match self.tokens.get(self.at) {
            Some(Token::Word(word)) => word.clone(),
            _ => Word::default(),
        };
        self.at += 1;
        self.take("in");
        let mut arms = Vec::new();
        loop {
            self.skip_ends();
            if self.at >= self.tokens.len() || self.word() == Some("esac") {
                self.at += 1;
                return Node::Case(subject, arms);
            }
            let mut patterns = Vec::new();
            while self.at < self.tokens.len() && self.op() != Some(")") {
                if let Some(Token::Word(word)) = self.tokens.get(self.at) {
                    patterns.push(word.clone());
                }
                self.at += 1;
            }
            self.at += 1;
            arms.push((patterns, self.list(&["esac"])));
            self.at += usize::from(self.op() == Some(";;"));
        }
    }

    fn simple(&mut self) -> Option<Node> {
        let mut tokens = Vec::new();
        while !self.is_end_of_command() {
            tokens.push(self.tokens[self.at].clone());
            self.at += 1;
        }
        // What a command reads stands below its line.
        let mut behind = self.at;
        if matches!(self.tokens.get(behind), Some(Token::Line)) {
            behind += 1;
            while let Some(Token::Heredoc(body)) = self.tokens.get(behind) {
                tokens.push(Token::Heredoc(body.clone()));
                behind += 1;
                self.at = behind;
            }
        }
        (!tokens.is_empty()).then_some(Node::Simple(tokens))
    }
}
