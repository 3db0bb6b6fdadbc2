using System.Text;

namespace Groundwork.Host.Importing;

/// <summary>One directive of an nginx configuration, with its block where it has one.</summary>
internal sealed record NginxDirective(string Name, IReadOnlyList<string> Arguments, int Line)
{
    /// <summary>Blocks in blocks; nginx itself has three.</summary>
    private const int MaxDepth = 16;

    public List<NginxDirective> Block { get; } = [];

    public string First => Arguments.Count > 0 ? Arguments[0] : "";

    public IEnumerable<NginxDirective> All(string name) => Block.Where(directive => directive.Name == name);

    /// <summary>As it was written, on one line.</summary>
    public string Text => Arguments.Count == 0 ? Name : $"{Name} {string.Join(' ', Arguments)}";

    /// <summary>Reads a file: words, quotes, comments, blocks.</summary>
    /// <exception cref="FormatException">It is none; the message has the line.</exception>
    public static NginxDirective Read(string text)
    {
        var root = new NginxDirective("", [], 0);
        var open = new Stack<NginxDirective>([root]);
        var words = new List<string>();
        var (line, begun) = (1, 1);
        for (var at = 0; at < text.Length;)
        {
            switch (text[at])
            {
                case '\n':
                    line++;
                    at++;
                    break;
                case ' ' or '\t' or '\r':
                    at++;
                    break;
                case '#':
                    while (at < text.Length && text[at] != '\n') at++;
                    break;
                case ';' or '{':
                    if (words.Count == 0) throw new FormatException($"line {line}: a directive has no name");
                    var directive = new NginxDirective(words[0], [.. words[1..]], begun);
                    open.Peek().Block.Add(directive);
                    words.Clear();
                    if (text[at] == '{') open.Push(directive);
                    if (open.Count > MaxDepth) throw new FormatException($"line {line}: too many blocks in blocks");
                    at++;
                    break;
                case '}':
                    if (open.Count == 1 || words.Count > 0)
                        throw new FormatException($"line {line}: a }} has no block, or a directive no ;");
                    open.Pop();
                    at++;
                    break;
                default:
                    if (words.Count == 0) begun = line;
                    words.Add(Word(text, ref at, ref line));
                    break;
            }
        }
        return open.Count == 1 && words.Count == 0
            ? root
            : throw new FormatException($"line {line}: the file ends within a block or a directive");
    }

    private static string Word(string text, ref int at, ref int line)
    {
        var word = new StringBuilder();
        var quote = text[at] is '"' or '\'' ? text[at++] : '\0';
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (quote != '\0' && c == quote)
            {
                at++;
                break;
            }
            if (quote == '\0' && (char.IsWhiteSpace(c) || c is ';' || (c is '{' && !word.ToString().EndsWith('$'))
                || (c is '}' && !word.ToString().Contains("${", StringComparison.Ordinal)))) break;
            if (c == '\n') line++; // Within quotes: the one that ends a word is counted by who reads on.
            if (c == '\\' && at + 1 < text.Length && (text[at + 1] == quote || text[at + 1] == '\\')) c = text[++at];
            word.Append(c);
        }
        return word.ToString();
    }
}
