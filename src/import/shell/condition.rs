//! Whether a condition of a script holds, as far as its own text tells.

use super::expand::Variables;
use super::lexer::tokens;
use super::syntax::Node;
use super::words::{Part, Token, Word};

/// What a list of commands ends with: true, false, or what only the host could tell.
pub(super) fn holds(variables: &Variables<'_>, nodes: &[Node]) -> Option<bool> {
    match nodes.last()? {
        Node::Simple(tokens) => simple(variables, tokens),
        Node::Chain(all) => {
            let mut truth = None;
            for (sign, node) in all {
                let one = holds(variables, std::slice::from_ref(node));
                truth = match *sign {
                    "&&" if truth == Some(false) || one == Some(false) => Some(false),
                    "||" if truth == Some(true) || one == Some(true) => Some(true),
                    "&&" | "||" if truth.is_none() || one.is_none() => None,
                    _ => one,
                };
            }
            truth
        }
        Node::Group(body) => holds(variables, body),
        Node::If(..) | Node::For(..) | Node::Loop(_) | Node::Case(..) | Node::Function(..) => None,
    }
}

fn simple(variables: &Variables<'_>, given: &[Token]) -> Option<bool> {
    let plain_of = |token: &Token| match token {
        Token::Word(word) => word.plain().map(str::to_owned),
        Token::Array(..) | Token::Test(_) | Token::Op(_) | Token::Line | Token::Heredoc(_) => None,
    };
    let negative = given.first().and_then(plain_of).as_deref() == Some("!");
    let given = if negative { &given[1..] } else { given };
    let truth = match given {
        [Token::Test(inner)] => either(variables, &tokens(inner).ok()?),
        [Token::Word(Word(parts))] if matches!(parts.as_slice(), [Part::Unknown(sum)] if sum.starts_with("((")) =>
        {
            let [Part::Unknown(sum)] = parts.as_slice() else { return None };
            computed(variables, sum.strip_prefix("((")?.strip_suffix("))")?)
        }
        _ => words(variables, given),
    };
    Some(truth? != negative)
}

/// What stands in `[[ … ]]`: comparisons joined by `||` and `&&`.
fn either(variables: &Variables<'_>, given: &[Token]) -> Option<bool> {
    let sign = |sign: &'static str| move |token: &Token| *token == Token::Op(sign);
    let all = |part: &[Token]| {
        let each = part.split(sign("&&")).map(|one| words(variables, &bracketed(one)));
        joined(each, false)
    };
    joined(given.split(sign("||")).map(all), true)
}

/// One that decides is enough, whatever the others are.
fn joined(each: impl Iterator<Item = Option<bool>>, decides: bool) -> Option<bool> {
    let each: Vec<Option<bool>> = each.collect();
    if each.contains(&Some(decides)) {
        return Some(decides);
    }
    each.iter().all(Option::is_some).then_some(!decides)
}

fn bracketed(given: &[Token]) -> Vec<Token> {
    let mut all = vec![Token::Word(plain("["))];
    all.extend(given.iter().filter(|token| **token != Token::Line).cloned());
    all.push(Token::Word(plain("]")));
    all
}

/// `(( … ))`: a number, or two that are compared.
pub(super) fn computed(variables: &Variables<'_>, text: &str) -> Option<bool> {
    let two = |sign: &str| {
        let (one, other) = text.split_once(sign)?;
        Some((variables.sum(one)?, variables.sum(other)?))
    };
    for sign in ["==", "!=", "<=", ">=", "<", ">"] {
        if !text.contains(sign) {
            continue;
        }
        let (one, other) = two(sign)?;
        return Some(match sign {
            "==" => one == other,
            "!=" => one != other,
            "<=" => one <= other,
            ">=" => one >= other,
            "<" => one < other,
            _ => one > other,
        });
    }
    let negative = text.trim().starts_with('!');
    Some((variables.sum(text.trim().trim_start_matches('!'))? != 0) != negative)
}

fn words(variables: &Variables<'_>, given: &[Token]) -> Option<bool> {
    let mut texts = Vec::new();
    for token in given {
        match token {
            Token::Word(word) => texts.push(text(variables, word)),
            Token::Array(..) | Token::Test(_) | Token::Op(_) | Token::Line | Token::Heredoc(_) => {
                return None;
            }
        }
    }
    compared(&texts)
}

fn plain(text: &str) -> Word {
    Word(vec![Part::Text(text.to_owned(), false)])
}

/// A word where variables that nothing sets are empty, as they are when the script is started without arguments.
fn text(variables: &Variables<'_>, word: &Word) -> Option<String> {
    let value = variables.one(word);
    if value.open.is_empty() {
        return Some(value.text);
    }
    let only_names = value.open.iter().all(|name| {
        let name = name.trim_start_matches('$').trim_matches(['{', '}']);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let without = |text: String, name: &String| text.replace(name.as_str(), "");
    only_names.then(|| value.open.iter().fold(value.text.clone(), without))
}

fn compared(words: &[Option<String>]) -> Option<bool> {
    let first = words.first()?.as_deref()?;
    let inner = match first {
        "true" | ":" => return Some(true),
        "false" => return Some(false),
        "[" => &words[1..words.len() - usize::from(words.last() == Some(&Some("]".to_owned())))],
        "test" => &words[1..],
        _ => return None,
    };
    let negative = inner.first().is_some_and(|word| word.as_deref() == Some("!"));
    let inner = if negative { &inner[1..] } else { inner };
    let known: Vec<&str> = inner.iter().map(Option::as_deref).collect::<Option<_>>()?;
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let truth = match known.as_slice() {
        [one] => !one.is_empty(),
        ["-n", one] => !one.is_empty(),
        ["-z", one] => one.is_empty(),
        [one, "=" | "==", other] => matches(one, other),
        [one, "!=", other] => !matches(one, other),
        [one, "-eq", other] => number(one)? == number(other)?,
        [one, "-ne", other] => number(one)? != number(other)?,
        [one, "-gt", other] => number(one)? > number(other)?,
        [one, "-ge", other] => number(one)? >= number(other)?,
        [one, "-lt", other] => number(one)? < number(other)?,
        [one, "-le", other] => number(one)? <= number(other)?,
        _ => return None,
    };
    Some(truth != negative)
}

/// Whether a text is the one that a pattern of letters and `*` names.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last_is_open = !pattern.contains('*');
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
        last_is_open = !piece.is_empty();
    }
    !last_is_open
        || rest.is_empty()
        || pattern.contains('*') && text.ends_with(pattern.rsplit('*').next().unwrap_or_default())
}
