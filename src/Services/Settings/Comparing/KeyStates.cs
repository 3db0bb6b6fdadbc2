namespace Groundwork.Services.Settings.Comparing;

/// <summary>A key in one of three texts: there with a value, not there, or not known.</summary>
/// <param name="IsKnown">False for the base of a key that was never promoted.</param>
internal readonly record struct KeyPlace(bool IsKnown, bool Exists, string? Value)
{
    public static KeyPlace Unknown => default;

    public static KeyPlace Absent => new(true, false, null);

    public static KeyPlace Of(string? value) => new(true, true, value);
}

/// <summary>How a key stands in two texts, seen from what was promoted last.</summary>
internal static class KeyStates
{
    public const string Same = "same";
    public const string OnlyInFrom = "only-in-from";
    public const string OnlyInTo = "only-in-to";
    public const string ChangedInFrom = "changed-in-from";
    public const string ChangedInTo = "changed-in-to";
    public const string ChangedAlike = "changed-alike";
    public const string Conflict = "conflict";

    /// <summary>
    /// A key that is taken away counts as changed. Without a base, two different values are a conflict: nobody can tell
    /// which is newer.
    /// </summary>
    public static string Of(KeyPlace @base, KeyPlace from, KeyPlace to)
    {
        if (from == to) return @base.IsKnown && @base != from ? ChangedAlike : Same;
        if (!@base.IsKnown || !@base.Exists)
        {
            if (!to.Exists) return OnlyInFrom;
            return from.Exists ? Conflict : OnlyInTo;
        }
        if (@base == to) return ChangedInFrom;
        return @base == from ? ChangedInTo : Conflict;
    }

    /// <summary>Whether the source's word may be taken without asking.</summary>
    public static bool IsTaken(string state) => state is OnlyInFrom or ChangedInFrom;

    /// <summary>Whether taking it would overwrite what is the target's own.</summary>
    public static bool IsOwn(string state) => state is OnlyInTo or ChangedInTo or Conflict;
}
