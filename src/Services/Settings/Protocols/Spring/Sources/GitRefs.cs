using System.Collections.Frozen;
using System.Text;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>The branches and tags of one fetch.</summary>
internal sealed class GitRefs
{
    /// <summary>What <c>for-each-ref</c> is to print of each.</summary>
    public const string Format =
        "%(refname)%09%(objectname)%09%(objecttype)%09%(*objectname)%09%(*objecttype)";

    /// <summary>Branches and tags of one repository.</summary>
    public const int MaxRefs = 20_000;

    private const string Heads = "refs/heads/";
    private const string Tags = "refs/tags/";

    private readonly FrozenDictionary<string, (string Object, string Commit)> refs;

    private GitRefs(Dictionary<string, (string, string)> refs) => this.refs = refs.ToFrozenDictionary(
        StringComparer.Ordinal);

    /// <summary>The commit of a branch, else of a tag; null when there is neither.</summary>
    public string? Find(string label) =>
        refs.TryGetValue(Heads + label, out var branch) ? branch.Commit
        : refs.TryGetValue(Tags + label, out var tag) ? tag.Commit
        : null;

    /// <summary>Whether the text is a whole name of an object, SHA-1 or SHA-256.</summary>
    public static bool IsCommit(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigit);

    /// <summary>
    /// Null when there are too many. Those that are no commits, such as tags of a file, are left out.
    /// </summary>
    public static GitRefs? Parse(string text)
    {
        var found = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split('\t') is not [var name, var own, var type, var peeled, var peeledType]) continue;
            var commit = type == "commit" ? own : peeledType == "commit" ? peeled : "";
            if (!IsCommit(own) || !IsCommit(commit)) continue;
            found[name] = (own, commit);
            if (found.Count > MaxRefs) return null;
        }
        return new GitRefs(found);
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var (name, (own, commit)) in refs.OrderBy(one => one.Key, StringComparer.Ordinal))
            text.Append(
                own == commit ? $"{name}\t{own}\tcommit\t\t\n" : $"{name}\t{own}\ttag\t{commit}\tcommit\n");
        return text.ToString();
    }

    /// <summary>As git keeps them in one file.</summary>
    public string Packed()
    {
        var text = new StringBuilder();
        foreach (var (name, (own, _)) in refs.OrderBy(one => one.Key, StringComparer.Ordinal))
            text.Append($"{own} {name}\n");
        return text.ToString();
    }
}
