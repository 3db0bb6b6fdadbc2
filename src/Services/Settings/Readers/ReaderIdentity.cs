using System.Collections.Immutable;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// Who a reader of settings says it is. A claim, and enough for it: a reader that lies gets a text that its key may
/// read anyway.
/// </summary>
/// <param name="Service">As in the registry, <c>group@@service</c> for another group; empty for who names none.</param>
/// <param name="Instance">The instance's id; empty with the service.</param>
/// <param name="Labels">The reader's own words: it reads settings before it has registered.</param>
/// <param name="SendsReceipts">True: it will say what becomes of what it is sent.</param>
internal sealed record ReaderIdentity(
    string Service, string Instance, ImmutableSortedDictionary<string, string> Labels, bool SendsReceipts)
{
    /// <summary>Labels of one reader: they are compared with every release that applies to it.</summary>
    public const int MaxLabels = 32;

    /// <summary>Characters of a label's key or value, as for labels of resources.</summary>
    public const int MaxLabelLength = 128;

    /// <summary>The group of a service whose name has none.</summary>
    private const string DefaultGroup = "default";

    private const string GroupSeparator = "@@";

    public static ReaderIdentity None { get; } = new(
        "", "", ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), false);

    public bool IsNamed => Instance.Length > 0;

    /// <summary><c>service/id</c>, by which releases and receipts name it.</summary>
    public string Name => $"{Service}/{Instance}";

    /// <summary>
    /// What <c>?instance=service/id&amp;label=k=v&amp;receipts=true</c> says, or <c>reader_invalid</c>.
    /// </summary>
    public static Outcome<ReaderIdentity> Of(HttpRequest request)
    {
        var instances = request.Query["instance"];
        if (instances.Count > 1) return Invalid("'instance' is given more than once.");
        var labels = ReadLabels(request.Query["label"]);
        if (!labels.TryGet(out var stated, out var fault)) return fault;
        var announces = request.Query["receipts"].ToString();
        if (announces is not ("" or "true" or "false"))
            return Invalid($"'receipts' is true or false, not '{announces}'.");
        if (instances is not [{ } text])
        {
            return announces == "true"
                ? Invalid("'receipts' takes 'instance', so that it is known whose they are.")
                : None with { Labels = stated };
        }
        return TryParse(text, out var service, out var id)
            ? new ReaderIdentity(service, id, stated, announces == "true")
            : Invalid($"'instance' is service/id, each of A-Z a-z 0-9 . _ : @ -, not '{text}'.");
    }

    public static bool TryParse(string text, out string service, out string id)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        (service, id) = slash < 0 ? ("", "") : (text[..slash], text[(slash + 1)..]);
        return slash >= 0 && IsService(service) && Names.IsSegment(id);
    }

    /// <summary>The name of a service, alone or behind its group.</summary>
    public static bool IsService(string text)
    {
        var (group, service) = Split(text);
        return IsPart(group) && IsPart(service);
    }

    /// <summary>Group and name of a service.</summary>
    public static (string Group, string Service) Split(string text)
    {
        var at = text.IndexOf(GroupSeparator, StringComparison.Ordinal);
        return at < 0 ? (DefaultGroup, text) : (text[..at], text[(at + GroupSeparator.Length)..]);
    }

    private static bool IsPart(string text) =>
        Names.IsSegment(text) && !text.Contains(GroupSeparator, StringComparison.Ordinal);

    private static Outcome<ImmutableSortedDictionary<string, string>> ReadLabels(
        Microsoft.Extensions.Primitives.StringValues texts)
    {
        if (texts.Count > MaxLabels) return Invalid($"'label' is given {texts.Count} times, {MaxLabels} are allowed.");
        var labels = None.Labels.ToBuilder();
        foreach (var text in texts)
        {
            var split = text?.IndexOf('=', StringComparison.Ordinal) ?? -1;
            if (text is null || split <= 0 || !Names.IsSegment(text.AsSpan(0, split)))
                return Invalid($"'label' is key=value with a key of A-Z a-z 0-9 . _ : @ -, not '{text}'.");
            var (key, value) = (text[..split], text[(split + 1)..]);
            if (value.Length > MaxLabelLength || !ReaderText.IsPlain(value))
                return Invalid($"The value of label '{key}' is not text of at most {MaxLabelLength} characters.");
            if (!labels.TryAdd(key, value)) return Invalid($"Label '{key}' is given twice.");
        }
        return labels.ToImmutable();
    }

    private static Fault Invalid(string detail) => new(ErrorCodes.ReaderInvalid, detail);
}
