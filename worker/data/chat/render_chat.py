"""Renders conversations with a chat template, as transformers does.

Each line that is read, and each that is written, is a JSON object. First comes
the template, {"template": TEXT, "variables": {NAME: TEXT}, "day": DAY}, which {}
answers; DAY is that of strftime_now, "2026-11-30", or "" for today. Then come
conversations, {"messages": [...], "marks": BOOL}. What answers one is
{"text": TEXT, "answers": [[BEGIN, END], ...]}: what the template makes of it
and, if it shall be marked, where in the text's UTF-8 the assistant's answers
lie, in order. Wherever that does not work out the answer is {"error": WHAT},
with {"line": LINE} if a line of the template is to blame.

The template is foreign code: jinja2's sandbox keeps it from all but its
variables, and whoever starts this program limits its time and memory.
"""

import datetime
import json
import sys
import traceback

try:
    import jinja2
    import jinja2.ext
    import jinja2.sandbox
except ImportError:
    jinja2 = None

NO_ANSWER = (
    "the text of the answer in messages[{}] cannot be told apart: what the "
    "template makes of the messages up to it is not how it begins the whole "
    "conversation; a template with {{% generation %}} around answers says it "
    "(data.chat_template), and data.train_on_prompt: true needs none")
REASONING = ("reasoning_content", "thinking", "reasoning")


class Failure(Exception):
    """What cannot be rendered, and why."""


if jinja2 is not None:

    class Answers(jinja2.ext.Extension):
        """{% generation %} ... {% endgeneration %}: an answer is inside."""

        tags = {"generation"}

        def __init__(self, environment):
            super().__init__(environment)
            environment.extend(answers=self)
            self.done = 0  # Characters that were rendered before.
            self.spans = []

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"],
                                           drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_note"), [], [],
                                          body).set_lineno(line)

        def _note(self, caller):
            text = caller()
            self.spans.append((self.done, self.done + len(text)))
            return text

    class Namespace(jinja2.utils.Namespace):
        """Without names that lead to Python's insides."""

        def __init__(*args, **kwargs):
            self, *rest = args
            values = dict(*rest, **kwargs)
            for name in values:
                Namespace._check(name)
            jinja2.utils.Namespace.__init__(self, values)

        def __setitem__(self, name, value):
            Namespace._check(name)
            jinja2.utils.Namespace.__setitem__(self, name, value)

        @staticmethod
        def _check(name):
            if isinstance(name, str) and name.startswith("_"):
                raise jinja2.exceptions.SecurityError(
                    f"a namespace has no names that begin with _, as {name!r}")


class Dict:
    """dict, of which templates get nothing but its calls."""

    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None,
           sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent,
                      separators=separators, sort_keys=sort_keys)


def environment_of_templates(day):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[Answers, jinja2.ext.loopcontrols])
    # One data set is of one day.
    now = datetime.datetime.fromisoformat(day) if day \
        else datetime.datetime.now()
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = now.strftime
    environment.globals["dict"] = Dict()
    environment.globals["namespace"] = Namespace
    return environment


def plain_messages(messages):
    """The messages as transformers hands them on."""
    plain = []
    for message in messages:
        message = {k: v for k, v in message.items() if v is not None}
        found = [message[key] for key in REASONING if key in message]
        if found:
            message = {"thinking": found[0], **message,
                       "reasoning_content": found[0]}
        plain.append(message)
    return plain


class Renderer:

    def __init__(self, template, variables, day):
        self._environment = environment_of_templates(day)
        self._template = self._environment.from_string(template)
        self._variables = variables
        tokens = [token[1:] for token in self._environment.lex(template)
                  if token[1] != "whitespace"]
        self._marks_answers = any(
            before[0] == "block_begin" and token == ("name", "generation")
            for before, token in zip(tokens, tokens[1:]))

    def render(self, messages, marks):
        messages = plain_messages(messages)
        text, spans = self._text(messages, False)
        if not marks:
            spans = []
        elif not self._marks_answers:
            spans = self._spans_by_prefixes(messages, text)
        return text, in_bytes(text, spans)

    def _text(self, messages, add_generation_prompt):
        answers = self._environment.answers
        answers.done, answers.spans = 0, []
        pieces = []
        for piece in self._template.generate(
                messages=messages, tools=None, documents=None,
                add_generation_prompt=add_generation_prompt,
                **self._variables):
            pieces.append(piece)
            answers.done += len(piece)
        return "".join(pieces), answers.spans

    def _spans_by_prefixes(self, messages, text):
        """Where answers lie in the text of all messages: each between what is
        rendered up to it, with what asks for an answer, and up to its end."""
        spans = []
        for i, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            # Templates need not know conversations of nothing.
            if i == 0:
                raise Failure(NO_ANSWER.format(i))
            before = self._text(messages[:i], True)[0]
            upto = text
            if i + 1 < len(messages):
                upto = self._text(messages[:i + 1], False)[0]
            if not text.startswith(before) or not upto.startswith(before):
                raise Failure(NO_ANSWER.format(i))
            end = len(upto)
            if not text.startswith(upto):
                end = end_of_shorter(message["content"], upto, text,
                                     len(before))
            if end is None:
                raise Failure(NO_ANSWER.format(i))
            spans.append((len(before), end))
        return spans


def end_of_shorter(content, upto, text, begin):
    """Where an answer at `begin` of `text` ends of which the template shows only
    the end, as where it leaves out what was thought before earlier answers: it
    goes on as `upto` ends, from somewhere in what was said. None: it does not."""
    said = content.strip()
    said_begin = upto.rfind(said, begin)
    if said_begin < 0:
        return None
    for at in range(begin, said_begin + len(said)):
        if text.startswith(upto[at], begin) and text.startswith(upto[at:],
                                                                begin):
            return begin + len(upto) - at
    return None


def in_bytes(text, spans):
    """The spans, counted in bytes of UTF-8."""
    done = done_bytes = 0
    counted = []
    for span in spans:
        ends = []
        for end in span:
            if end < done:  # Spans inside of spans.
                done = done_bytes = 0
            done_bytes += len(text[done:end].encode())
            done = end
            ends.append(done_bytes)
        counted.append(ends)
    return counted


# Characters of a template's own words.
MOST_ERROR = 1000


def what_went_wrong(error):
    """An answer for a template that failed."""
    if isinstance(error, Failure):
        return {"error": str(error)}
    if isinstance(error, jinja2.exceptions.TemplateSyntaxError):
        return {"error": f"is no template: {error.message}",
                "line": error.lineno}
    what = str(error) if isinstance(error, jinja2.exceptions.TemplateError) \
        else f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError):
        what = "needs more memory than a template may have"
    answer = {"error": what[:MOST_ERROR].encode("utf-8", "replace").decode()}
    lines = [frame.lineno
             for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == "<template>"]
    if lines:
        answer["line"] = lines[-1]
    return answer


def main():
    renderer = None
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            if jinja2 is None:
                raise Failure("jinja2 is not installed")
            if renderer is None:
                renderer = Renderer(asked["template"], asked["variables"],
                                    asked["day"])
                answer = {}
            else:
                text, spans = renderer.render(asked["messages"],
                                              asked["marks"])
                answer = {"text": text, "answers": spans}
            written = json.dumps(answer, ensure_ascii=False).encode()
        except Exception as error:
            written = json.dumps(what_went_wrong(error)).encode()
        sys.stdout.buffer.write(written + b"\n")
        sys.stdout.buffer.flush()


main()
