# SPDX-License-Identifier: GPL-3.0-or-later
# Expressions that can be evaluated without disturbing the program.
#
# Most expressions that people watch, `total < 3500` or `node.next is None`, run no code of the program: names, attributes
# that lie in an object, items of lists and dicts, comparisons of numbers and strings.  Such an expression is compiled into a
# function of a frame's names in which each step first makes sure of that, by the exact types of the operands.  Where it
# cannot, Disturbing is raised before anything is done.

import ast
from types import FunctionType, ModuleType

NUMBERS = frozenset((int, float, bool))
EXACT = frozenset((int, bool, str, bytes, type(None)))          # equal values of one type print the same
PLAIN = EXACT | {float, complex}
SIZED = frozenset((str, bytes, bytearray, list, tuple, dict, set, frozenset, range))
SPACES = frozenset((dict, type((lambda: sys._getframe())().f_locals)))
MOST_ITEMS = 200                # of a container that is the value: more would take longer than the search by halves
mro_of = type.__dict__['__mro__'].__get__
space_of = type.__dict__['__dict__'].__get__
absent = object()
kinds_of_attribute = {}


class Disturbing(Exception):
    """The look might run code of the program."""


def in_class(kind, name):
    for each in mro_of(kind):
        found = space_of(each).get(name, absent)
        if found is not absent:
            return found
    return absent


def is_descriptor(value):
    return in_class(type(value), '__get__') is not absent


def attribute_is_plain(kind, name):
    """Does an object of that class give the attribute without code of the program?"""
    if in_class(kind, '__getattribute__') is not object.__getattribute__ or in_class(kind, '__getattr__') is not absent:
        return False
    found = in_class(kind, name)
    return found is absent or not is_descriptor(found) or type(found).__name__ == 'member_descriptor'


def attribute(value, name):
    kind = type(value)
    if kind is ModuleType and name in value.__dict__:
        return value.__dict__[name]
    if kind is type:
        found = in_class(value, name)
        if found is absent or in_class(type, name) is not absent or is_descriptor(found):
            raise Disturbing('.%s of a class' % name)
        return found
    plain = kinds_of_attribute.get((kind, name))
    if plain is None:
        plain = kinds_of_attribute[kind, name] = attribute_is_plain(kind, name)
    if not plain:
        raise Disturbing('.%s of %s' % (name, kind.__name__))
    return getattr(value, name)


def item(value, key):
    kind = type(value)
    if kind is dict and type(key) in PLAIN or kind in (list, tuple, str, bytes, range) and type(key) in (int, bool):
        return value[key]
    raise Disturbing('an item of %s' % kind.__name__)


def truth(value):
    kind = type(value)
    if kind in PLAIN or kind in SIZED:
        return bool(value)
    if in_class(kind, '__bool__') is absent and in_class(kind, '__len__') is absent:
        return True
    raise Disturbing('the truth of %s' % kind.__name__)


def all_plain(items):
    for each in items:
        if type(each) not in PLAIN:
            return False
    return True


def compare(a, b, equal):
    """Other than plain values: only what is settled without a comparison of the program's objects."""
    if type(a) is type(b) and type(a) in SIZED:
        if len(a) != len(b):
            return not equal
        if type(a) in (list, tuple) and all_plain(a) and all_plain(b):
            return (a == b) is equal
    if a is None and in_class(type(b), '__eq__') is object.__eq__ or b is None and in_class(type(a), '__eq__') is object.__eq__:
        return not equal
    raise Disturbing('comparing %s with %s' % (type(a).__name__, type(b).__name__))


def contains(value, key):
    kind = type(value)
    if type(key) in PLAIN and (kind in (dict, set, frozenset, str, bytes, range) or
                               kind in (list, tuple) and all_plain(value)):
        return key in value
    raise Disturbing('`in` for %s' % kind.__name__)


def size(value):
    if type(value) in SIZED:
        return len(value)
    raise Disturbing('len() of %s' % type(value).__name__)


def no_builtin(space, name):
    builtins = space.get('__builtins__')
    if name in (builtins if type(builtins) is dict else builtins.__dict__):
        raise Disturbing(name)
    raise NameError(name)


class Compiler:
    """An expression into the lines of a function of a frame's two name spaces, `l` and `g`; one variable a step."""

    def __init__(self, text):
        self.lines, self.constants, self.variables, self.indent = [], {}, 0, 1
        self.names = {}             # used as a set, in order
        self.emit('return ' + self.value(ast.parse(text.strip(), mode='eval').body))
        names = {each.__name__: each for each in (attribute, item, truth, compare, contains, size, no_builtin, Disturbing)}
        names.update(self.constants, absent=absent, PLAIN=PLAIN, NUMBERS=NUMBERS, __builtins__={'type': type})
        code = compile('def look(l, g):\n' + ''.join(self.lines), '<fred>', 'exec')
        self.look = FunctionType(code.co_consts[0], names)

    def emit(self, line):
        self.lines.append('    ' * self.indent + line + '\n')

    def new(self, value):
        self.variables += 1
        name = 'v%d' % self.variables
        self.emit('%s = %s' % (name, value))
        return name

    def constant(self, value):
        name = 'c%d' % len(self.constants)
        self.constants[name] = value
        return name

    def value(self, node):
        method = getattr(self, 'of_' + type(node).__name__, None)
        if method is None:
            raise Disturbing(type(node).__name__)
        return method(node)

    def of_Constant(self, node):
        if type(node.value) not in PLAIN:
            raise Disturbing('a constant')
        return self.constant(node.value)

    def of_List(self, node):
        return self.new('[%s]' % ', '.join([self.value(each) for each in node.elts]))

    def of_Tuple(self, node):
        return self.new('(%s)' % ''.join([self.value(each) + ', ' for each in node.elts]))

    def of_Dict(self, node):
        if node.keys:
            raise Disturbing('a dict')
        return self.new('{}')

    def of_Name(self, node):
        self.names[node.id] = True
        value = self.new('l.get(%r, absent)' % node.id)
        self.emit('if %s is absent: %s = g.get(%r, absent)' % (value, value, node.id))
        self.emit('if %s is absent: no_builtin(g, %r)' % (value, node.id))
        return value

    def of_Attribute(self, node):
        return self.new('attribute(%s, %r)' % (self.value(node.value), node.attr))

    def of_Subscript(self, node):
        key = getattr(node.slice, 'value', node.slice) if type(node.slice).__name__ == 'Index' else node.slice  # 3.8
        return self.new('item(%s, %s)' % (self.value(node.value), self.value(key)))

    def of_UnaryOp(self, node):
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return self.new('not truth(%s)' % value)
        sign = {ast.USub: '-', ast.UAdd: '+', ast.Invert: '~'}[type(node.op)]
        self.emit('if type(%s) not in NUMBERS: raise Disturbing' % value)
        return self.new(sign + value)

    def of_BinOp(self, node):
        sign = {ast.Add: '+', ast.Sub: '-', ast.Mult: '*', ast.Div: '/', ast.FloorDiv: '//', ast.Mod: '%',
                ast.BitAnd: '&', ast.BitOr: '|', ast.BitXor: '^'}.get(type(node.op))
        if sign is None:
            raise Disturbing(type(node.op).__name__)
        a, b = self.value(node.left), self.value(node.right)
        self.emit('if type(%s) not in NUMBERS or type(%s) not in NUMBERS: raise Disturbing' % (a, b))
        return self.new('%s %s %s' % (a, sign, b))

    def of_BoolOp(self, node):
        result = self.new(self.value(node.values[0]))
        indent = self.indent
        for each in node.values[1:]:
            self.emit('if %struth(%s):' % ('' if isinstance(node.op, ast.And) else 'not ', result))
            self.indent += 1
            self.emit('%s = %s' % (result, self.value(each)))
        self.indent = indent
        return result

    def of_IfExp(self, node):
        test, result = self.value(node.test), self.new('absent')
        for line, branch in (('if truth(%s):' % test, node.body), ('else:', node.orelse)):
            self.emit(line)
            self.indent += 1
            self.emit('%s = %s' % (result, self.value(branch)))
            self.indent -= 1
        return result

    def of_Compare(self, node):
        a, result, indent = self.value(node.left), self.new('True'), self.indent
        for op, right in zip(node.ops, node.comparators):
            b = self.value(right)
            self.compare(type(op), a, b, result)
            a = b
            if right is not node.comparators[-1]:
                self.emit('if %s:' % result)
                self.indent += 1
        self.indent = indent
        return result

    def compare(self, op, a, b, result):
        if op in (ast.Is, ast.IsNot):
            self.emit('%s = %s %s %s' % (result, a, 'is' if op is ast.Is else 'is not', b))
            return
        if op in (ast.In, ast.NotIn):
            self.emit('%s = %scontains(%s, %s)' % (result, '' if op is ast.In else 'not ', b, a))
            return
        sign = {ast.Lt: '<', ast.LtE: '<=', ast.Gt: '>', ast.GtE: '>=', ast.Eq: '==', ast.NotEq: '!='}[op]
        self.emit('if type(%s) in PLAIN and type(%s) in PLAIN: %s = %s %s %s' % (a, b, result, a, sign, b))
        if op in (ast.Eq, ast.NotEq):
            self.emit('else: %s = compare(%s, %s, %s)' % (result, a, b, op is ast.Eq))
        else:
            self.emit('else: raise Disturbing')

    def of_Call(self, node):
        name = node.func
        if not isinstance(name, ast.Name) or name.id != 'len' or len(node.args) != 1 or node.keywords:
            raise Disturbing('a call')
        self.names['len'] = True
        self.emit("if 'len' in l or 'len' in g: raise Disturbing")
        return self.new('size(%s)' % self.value(node.args[0]))


def key_of(value, room=MOST_ITEMS):
    """What tells the value from others as its repr() would; holds no object of the program's."""
    kind = type(value)
    if kind in EXACT:
        return value
    if kind in PLAIN:
        return kind, repr(value)
    if kind in (list, tuple, set, frozenset, dict) and len(value) <= room:
        items = list(value.items()) if kind is dict else value
        for each in items:
            key_of(each, room - len(value))
        return kind, repr(value)
    if in_class(kind, '__repr__') is object.__repr__ and type(kind) is type:
        return kind, repr(value)
    raise Disturbing('the text of %s' % kind.__name__)
