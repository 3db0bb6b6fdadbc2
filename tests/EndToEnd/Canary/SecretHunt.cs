using System.Text;

namespace Groundwork.Tests.EndToEnd.Canary;

/// <summary>
/// Looks for secrets in everything that leaves a node: as they are, in UTF-16, in hexadecimal, and in base64 at any
/// place. A secret's core is letters and digits alone, so that escapes of URLs, JSON and XML leave it as it is.
/// </summary>
internal sealed class SecretHunt
{
    private readonly List<(string Secret, string Form, byte[] Bytes)> wanted = [];
    private readonly List<string> found = [];

    /// <summary>What was found where.</summary>
    public IReadOnlyList<string> Found => found;

    /// <summary>Bytes that were looked through.</summary>
    public long Searched { get; private set; }

    /// <summary>A secret that is text. Half of it is a leak too.</summary>
    public void Add(string name, string core)
    {
        var half = core.Length / 2;
        Add(name, "plain", Encoding.UTF8.GetBytes(core[..half]));
        Add(name, "plain", Encoding.UTF8.GetBytes(core[half..]));
        Add(name, Encoding.UTF8.GetBytes(core));
    }

    /// <summary>A secret that is bytes.</summary>
    public void Add(string name, byte[] secret)
    {
        Add(name, "raw", secret);
        Add(name, "hex", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)));
        Add(name, "HEX", Encoding.ASCII.GetBytes(Convert.ToHexString(secret)));
        Add(name, "UTF-16", Encoding.Unicode.GetBytes(Encoding.Latin1.GetString(secret)));
        for (var before = 0; before < 3; before++)
        {
            // Only the letters that the secret alone decides, whatever stands before and after it.
            var text = Convert.ToBase64String([.. new byte[before], .. secret]).TrimEnd('=');
            var from = (before * 8 + 5) / 6;
            var to = (before + secret.Length) * 8 / 6;
            var base64 = text[from..to];
            Add(name, "base64", Encoding.ASCII.GetBytes(base64));
            Add(name, "base64url", Encoding.ASCII.GetBytes(base64.Replace('+', '-').Replace('/', '_')));
        }
    }

    public void Look(string where, string text) => Look(where, Encoding.UTF8.GetBytes(text));

    public void Look(string where, ReadOnlySpan<byte> content)
    {
        Searched += content.Length;
        foreach (var (secret, form, bytes) in wanted)
            if (content.IndexOf(bytes) >= 0) found.Add($"{secret} as {form} in {where}");
    }

    /// <summary>Every file of a directory and below, but those whose names are given.</summary>
    public void LookInto(string directory, string where, params ReadOnlySpan<string> except)
    {
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            if (except.Contains(Path.GetFileName(path))) continue;
            if (path.EndsWith(".sock", StringComparison.Ordinal)) continue; // No file to read.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var content = new byte[file.Length];
            file.ReadExactly(content);
            Look($"{where}/{Path.GetRelativePath(directory, path)}", content);
        }
    }

    private void Add(string name, string form, byte[] bytes) => wanted.Add((name, form, bytes));
}
