# SPDX-License-Identifier: GPL-3.0-or-later
# The form of messages and of what they carry, the same for every debugger: the first of each agent's Python files.


def send_fields(kind, fields):
    text = ''.join([str(field).replace('\0', '\\0') + '\0' for field in fields])
    try:
        body = text.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        body = text.encode('utf-8', 'backslashreplace')
    return send(ord(kind), body)


def fields_of(body):
    return body.decode('utf-8', 'surrogateescape').split('\0')[:-1]


def short_value(value):
    """Two different long values stay different."""
    if len(value) <= 4000:
        return value
    return '%s... (%d characters, %s)' % (value[:400], len(value), digest(value.encode('utf-8', 'surrogatepass')))


def one_line(text):
    return ' '.join(text.split())[:400]


def describe_exception(problem):
    try:
        text = str(problem)
    except BaseException:
        text = 'its text cannot be had'
    return one_line('%s: %s' % (type(problem).__name__, text) if text else type(problem).__name__)
