using System.Text;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What was found in the worst value of a request.</summary>
/// <param name="Where">Such as <c>query:id</c>.</param>
internal sealed record InspectionFinding(RuleSet Rules, int Score, string Where)
{
    /// <summary>Characters of a parameter's name that are told.</summary>
    private const int MaxName = 64;

    /// <summary>The place and name of a value, printable whatever somebody sent.</summary>
    public static string WhereOf(string part, ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return part;
        var text = new StringBuilder(part).Append(':');
        foreach (var one in name[..Math.Min(name.Length, MaxName)])
            text.Append(one is > (byte)' ' and < 0x7F ? (char)one : '?');
        return text.ToString();
    }

    public override string ToString() => $"{Rules} in {Where} (score {Score})";
}

/// <summary>Goes through the values of one request, and keeps the worst.</summary>
internal struct InspectionRun(InspectionPlan plan)
{
    private readonly InspectionPlan plan = plan;

    /// <summary>Null: nothing was found.</summary>
    public InspectionFinding? Worst { get; private set; }

    public readonly bool IsAttack => Worst?.Score >= plan.Threshold;

    /// <param name="part">Such as <c>query</c>.</param>
    /// <param name="name">Of the parameter, as it was sent.</param>
    public void Look(ReadOnlySpan<byte> value, Coding coding, ValuePlace place, string part, ReadOnlySpan<byte> name)
    {
        var met = Inspector.Inspect(value, coding, plan.Asked);
        if (!met.IsEmpty) Count(met, place, part, name);
    }

    /// <summary>The same with rules of its own.</summary>
    public void Look(ReadOnlySpan<byte> value, Coding coding, RuleSet asked, string part)
    {
        var met = Inspector.Inspect(value, coding, plan.Asked.And(asked));
        if (!met.IsEmpty) Count(met, ValuePlace.Parameter, part, default);
    }

    private void Count(RuleSet met, ValuePlace place, string part, ReadOnlySpan<byte> name)
    {
        met = plan.Counted(met, place, name);
        var score = met.Score;
        if (score > (Worst?.Score ?? 0))
            Worst = new InspectionFinding(met, score, InspectionFinding.WhereOf(part, name));
    }
}
