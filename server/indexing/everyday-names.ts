/**
 * Names that every program calls and no program means: methods of built-in types, test words, built-in types. An edge to
 * one of them would lead everywhere.
 */
const everyday = new Set(
  `push pop shift unshift map filter reduce forEach find findIndex some every includes indexOf lastIndexOf slice splice concat join split
  sort reverse keys values entries fill flat flatMap from isArray assign freeze create defineProperty hasOwnProperty toString valueOf
  toJSON parse stringify trim trimEnd trimStart replace replaceAll match matchAll test exec startsWith endsWith padStart padEnd repeat
  charAt charCodeAt codePointAt substring substr toLowerCase toUpperCase localeCompare then catch finally resolve reject all race
  allSettled set get has add delete clear size call apply bind log warn error info debug trace random floor ceil round min max abs pow
  sqrt now getTime toISOString setTimeout setInterval clearTimeout clearInterval setImmediate nextTick require import
  String Number Boolean Object Array Promise Map Set WeakMap WeakSet Date RegExp Error TypeError RangeError Symbol Function BigInt Math
  JSON Buffer Uint8Array Record Partial Required Readonly Pick Omit Exclude Extract ReturnType Parameters Awaited NonNullable
  undefined null true false this self cls super any void never unknown string number boolean object symbol bigint
  len range print str int float bool dict list tuple set isinstance issubclass getattr setattr hasattr type super open enumerate zip
  sorted reversed sum any repr hash iter next vars dir append extend insert remove items update copy format encode decode strip lstrip
  rstrip lower upper title count index isdigit setdefault Exception ValueError KeyError AttributeError NotImplementedError
  RuntimeError Any Optional Union List Dict Tuple Callable Iterable Iterator Type bytes property staticmethod classmethod None True
  False make cap panic recover byte rune uint uint8 uint16 uint32 uint64 int8 int16 int32 int64 float32 float64 uintptr
  Println Printf Sprintf Fprintf Errorf Sprint Fatal Fatalf Error Errors nil err interface chan func
  unwrap expect clone into iter collect as_ref as_str to_string to_owned ok_or map_err and_then is_some is_none is_empty vec println
  format assert assert_eq assert_ne Some None Box Vec Self Option Result Rc Arc usize isize bool char u8 u16 u32 u64 i8 i16 i32 i64
  f32 f64 equals hashCode getClass println valueOf of stream toList add put size isEmpty contains Integer Long Double Float
  Character List Override Deprecated Void Class Task var ToString Equals GetHashCode GetType ToList ToArray Select Where Any
  First FirstOrDefault Add Count puts print raise lambda proc new each attr_accessor attr_reader attr_writer include extend nil
  describe context before after beforeEach afterEach beforeAll afterAll expect should assert toBe toEqual toStrictEqual toHaveBeenCalled
  toHaveBeenCalledWith toThrow toMatch toContain toBeTruthy toBeFalsy toHaveLength equal deepEqual strictEqual rejects resolves not
  Equal NotNil Nil True False NoError Run Helper Parallel TestCase assertEqual assertTrue assertFalse echo printf cat grep sed awk
  require_relative source cd mkdir exit export local return`.split(/\s+/),
)

export function isEverydayName(name: string): boolean {
  return everyday.has(name)
}
