using Groundwork.Communication.Gateway.Delivery;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>The ways to choose one of several.</summary>
internal enum ChoicePolicy { TwoChoices, Fastest, RoundRobin, LeastRequests, Random, Hash }

/// <summary>How one of several is chosen, and when one that fails is left out: compiled.</summary>
internal sealed record BalancePolicy(ChoicePolicy Choice, RequestKey? By, bool ZoneFirst, TimeSpan SlowStart)
{
    /// <summary>What holds for a service without an upstream of its own.</summary>
    public static BalancePolicy Default { get; } = new(ChoicePolicy.TwoChoices, null, false, TimeSpan.Zero);

    /// <summary>Failures in a row and lengths; null: the gateway's own.</summary>
    public EjectionSpec? Ejection { get; private init; }

    public StickySpec? Sticky { get; private init; }

    /// <summary>How TLS is spoken with instances; null: as the system has it.</summary>
    public Upstreams.UpstreamTls? Tls { get; init; }

    /// <summary>What all of them speak; null: each says it itself.</summary>
    public string? Protocol { get; private init; }

    /// <summary>How many may be left out at once, in percent.</summary>
    public int MaxOutPercent => Ejection?.MaxPercent ?? 100;

    /// <summary>When fewer than this, in percent, are left, all are called.</summary>
    public int PanicPercent => Ejection?.PanicPercent ?? 0;

    public static ChoicePolicy? Read(string text) => text switch
    {
        "two-choices" => ChoicePolicy.TwoChoices,
        "fastest" => ChoicePolicy.Fastest,
        "round-robin" => ChoicePolicy.RoundRobin,
        "least-requests" => ChoicePolicy.LeastRequests,
        "random" => ChoicePolicy.Random,
        "hash" => ChoicePolicy.Hash,
        _ => null,
    };

    /// <summary>Null for one that this version does not understand.</summary>
    public static BalancePolicy? TryMake(UpstreamSpec spec)
    {
        var choice = spec.Choose ?? new ChoiceSpec();
        if (Read(choice.Policy) is not { } policy) return null;
        var by = policy == ChoicePolicy.Hash ? choice.By ?? "client" : null;
        if (by is not null && RequestKey.Explain(by, null) is not null) return null;
        return new BalancePolicy(
            policy, by is null ? null : RequestKey.Parse(by), choice.ZoneFirst,
            TimeSpan.FromSeconds(choice.SlowStartSeconds))
        {
            Ejection = spec.Ejection,
            Sticky = spec.Sticky,
            Protocol = spec.Protocol,
        };
    }

    /// <summary>The gateway's limits, as far as this says nothing else.</summary>
    public GatewayOptions Over(GatewayOptions options) => Ejection is not { } own
        ? options
        : options with
        {
            FailuresToEject = own.Failures,
            FirstEjection = TimeSpan.FromSeconds(own.FirstSeconds),
            LongestEjection = TimeSpan.FromSeconds(own.LongestSeconds),
        };
}
