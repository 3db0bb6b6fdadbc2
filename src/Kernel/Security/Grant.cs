using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>One permission of a role: every verb listed, on every resource that matches all three lists.</summary>
public sealed record Grant(
    [Description("Such as read and write; * for all.")]
    [AllowedValues("*", "read", "read-secret", "write", "delete", "approve", "register", "renew", "discover",
        "operate", "audit", "backup", "administer")]
    IReadOnlyList<string> Verbs,
    [Description("Names of kinds, or *; instance stands for what is registered.")]
    IReadOnlyList<string> Kinds,
    [Description("Names of namespaces, _ for node-wide kinds, or *. All when not given.")]
    IReadOnlyList<string>? Namespaces = null,
    [Description("Whole names, prefixes such as default/orders/*, or *. All when not given.")]
    IReadOnlyList<string>? Names = null)
{
    public const string Any = "*";

    /// <summary>Ends a prefix: a whole segment of a name and all below it.</summary>
    public const string PrefixEnd = "/*";

    /// <summary>Grants of one role or access key; every check walks through them.</summary>
    public const int MaxGrants = 64;

    /// <summary>Entries of one list of a grant, for the same reason.</summary>
    public const int MaxEntries = 32;

    internal static void Check(IReadOnlyList<Grant> grants, string path, ICollection<FieldFault> faults)
    {
        if (grants.Count > MaxGrants)
            faults.Add(new FieldFault(path, $"has {grants.Count} grants, {MaxGrants} are allowed"));
        for (var place = 0; place < grants.Count; place++) grants[place].Check($"{path}[{place}]", faults);
    }

    private void Check(string path, ICollection<FieldFault> faults)
    {
        CheckList(Verbs, $"{path}.verbs", faults, IsVerb, $"is not a verb: {string.Join(", ", VerbNames.All)} or *");
        CheckList(Kinds, $"{path}.kinds", faults, IsKind, "is not a kind's name or *");
        if (Namespaces is { } namespaces)
            CheckList(namespaces, $"{path}.namespaces", faults, IsNamespace,
                "is not a namespace, _ for node-wide kinds, or *");
        if (Names is { } names)
            CheckList(names, $"{path}.names", faults, IsName, "is not a name, a prefix such as orders/*, or *");
    }

    private static void CheckList(
        IReadOnlyList<string> list, string path, ICollection<FieldFault> faults, Func<string, bool> isRight,
        string message)
    {
        if (list.Count is 0 or > MaxEntries)
            faults.Add(new FieldFault(path, $"must have 1 to {MaxEntries} entries, not {list.Count}"));
        for (var place = 0; place < list.Count; place++)
            if (!isRight(list[place])) faults.Add(new FieldFault($"{path}[{place}]", $"'{list[place]}' {message}"));
    }

    private static bool IsVerb(string text) => text == Any || VerbNames.TryParse(text, out _);

    private static bool IsKind(string text) => text == Any || Wire.Names.IsNamespace(text);

    private static bool IsNamespace(string text) =>
        text is Any or Wire.Names.NodeWide || Wire.Names.IsNamespace(text);

    private static bool IsName(string text) => text == Any
        || Wire.Names.IsName(
            text.EndsWith(PrefixEnd, StringComparison.Ordinal) ? text.AsSpan(..^PrefixEnd.Length) : text);
}
