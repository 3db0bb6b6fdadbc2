using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>
/// What is wrong with a request: where, and what was expected there. Values are never repeated; names that somebody
/// sent are, so far as they can be printed.
/// </summary>
internal sealed class FaultList
{
    /// <summary>Faults that are told.</summary>
    public const int Max = 16;

    /// <summary>Characters of a name that somebody sent.</summary>
    private const int MaxName = 64;

    /// <summary>Characters of a place.</summary>
    private const int MaxPlace = 256;

    /// <summary>Characters of what was expected: patterns can be long.</summary>
    private const int MaxMessage = 200;

    private readonly List<FieldFault> faults = [];

    public bool IsEmpty => faults.Count == 0;

    public bool IsFull => faults.Count >= Max;

    public ImmutableArray<FieldFault> All => [.. faults];

    public void Add(string place, string message)
    {
        if (!IsFull) faults.Add(new FieldFault(place, message));
    }

    public void Add(string root, IReadOnlyList<SchemaFault> told)
    {
        foreach (var fault in told)
            Add(
                WhereOf(root, fault.Place),
                fault.Message.Length <= MaxMessage ? fault.Message : fault.Message[..MaxMessage] + "...");
    }

    /// <summary>Such as <c>body/items/3/price</c>.</summary>
    public static string WhereOf(string root, ValuePlace place)
    {
        if (place.Above is null) return root;
        var parts = new Stack<string>();
        for (var at = place; at.Above is not null; at = at.Above)
            parts.Push(at.Name is { } name ? Printable(name) : at.Index.ToString(CultureInfo.InvariantCulture));
        var text = new StringBuilder(root);
        foreach (var part in parts)
        {
            if (text.Length + part.Length >= MaxPlace) return text.Append("/...").ToString();
            text.Append('/').Append(part);
        }
        return text.ToString();
    }

    /// <summary>A name that somebody sent.</summary>
    public static string Printable(string name)
    {
        var text = new StringBuilder();
        foreach (var one in name.AsSpan(0, Math.Min(name.Length, MaxName)))
            text.Append(char.IsControl(one) || char.IsSurrogate(one) ? '?' : one);
        return name.Length > MaxName ? text.Append("...").ToString() : text.ToString();
    }
}
