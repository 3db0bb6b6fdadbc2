using System.Collections.Immutable;
using Groundwork.Client.Flags;

namespace Groundwork.Client;

/// <summary>
/// Feature flags: the settings of format <c>flags</c> in the groups that the service reads, evaluated in this process.
/// A singleton of the host's services. Thread-safe; asking for a boolean allocates nothing.
/// </summary>
public sealed class GroundworkFlags
{
    private readonly FlagTable table;
    private readonly ImmutableSortedDictionary<string, string> labels;

    internal GroundworkFlags(FlagTable table, ImmutableSortedDictionary<string, string> labels)
    {
        this.table = table;
        this.labels = labels;
    }

    /// <summary>Whether a flag is on for a user.</summary>
    /// <param name="flag">Its name.</param>
    /// <param name="user">Who it is for; null or empty for nobody in particular, whom percentages leave out.</param>
    /// <param name="otherwise">The answer when no document has the flag, or it is not a boolean.</param>
    public bool IsOn(string flag, string? user = null, bool otherwise = false) =>
        IsOn(flag, new FlagContext(user), otherwise);

    /// <summary>Whether a flag is on.</summary>
    /// <param name="flag">Its name.</param>
    /// <param name="context">The user, and labels beside the process's own.</param>
    /// <param name="otherwise">The answer when no document has the flag, or it is not a boolean.</param>
    public bool IsOn(string flag, in FlagContext context, bool otherwise = false)
    {
        if (table.Find(flag) is not { } found) return otherwise;
        var variant = found.Choose(context, labels).Variant;
        if (variant.Truth is not { } truth) return otherwise;
        variant.Count();
        return truth;
    }

    /// <summary>The value of the variant that a flag has for somebody.</summary>
    /// <typeparam name="T">Text, a boolean, a number, or a type that the variant's object is read into as
    /// JSON.</typeparam>
    /// <param name="flag">Its name.</param>
    /// <param name="context">The user, and labels beside the process's own.</param>
    /// <param name="otherwise">The answer when no document has the flag, or its value is no <typeparamref name="T"/>.
    /// </param>
    /// <returns>The same object each time; do not change it.</returns>
    public T Variant<T>(string flag, in FlagContext context, T otherwise) =>
        Evaluate(flag, context, otherwise).Value;

    /// <summary>As <see cref="Variant{T}"/>, with the variant's name and why it is this one.</summary>
    public FlagAnswer<T> Evaluate<T>(string flag, in FlagContext context, T otherwise)
    {
        if (table.Find(flag) is not { } found)
            return new FlagAnswer<T>(otherwise, null, FlagReason.Unknown, null);
        var choice = found.Choose(context, labels);
        if (!choice.Variant.TryRead<T>(out var value))
            return new FlagAnswer<T>(otherwise, choice.Variant.Name, FlagReason.OtherType, choice.Rule);
        choice.Variant.Count();
        return new FlagAnswer<T>(value, choice.Variant.Name, choice.Reason, choice.Rule);
    }
}

/// <summary>Whom a flag is asked for.</summary>
/// <param name="User">The user key; percentages and weights take one.</param>
/// <param name="Labels">What rules may ask for, such as the user's plan or country; they win over the process's own
/// labels.</param>
public readonly record struct FlagContext(string? User = null, IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>What a flag answered.</summary>
/// <param name="Value">The variant's value, or the caller's own.</param>
/// <param name="Variant">The variant's name; null when no document has the flag.</param>
/// <param name="Reason">Why it is this one.</param>
/// <param name="Rule">The rule that served it, when one did.</param>
public readonly record struct FlagAnswer<T>(T Value, string? Variant, FlagReason Reason, string? Rule);

/// <summary>Why a flag answered as it did.</summary>
public enum FlagReason
{
    /// <summary>No document has the flag; the value is the caller's.</summary>
    Unknown,

    /// <summary>The flag is not enabled.</summary>
    Disabled,

    /// <summary>A rule matched.</summary>
    Rule,

    /// <summary>No rule matched.</summary>
    Default,

    /// <summary>The variant's value is of another type than asked for; the value is the caller's.</summary>
    OtherType,
}
