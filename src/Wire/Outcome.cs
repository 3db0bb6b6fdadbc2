using System.Diagnostics.CodeAnalysis;

namespace Groundwork.Wire;

/// <summary>A value, or the fault that took its place. Faults are expected failures; bugs are exceptions.</summary>
public readonly struct Outcome<T>
{
    private readonly T? value;

    private Outcome(T? value, Fault? fault)
    {
        this.value = value;
        Fault = fault;
    }

    public Fault? Fault { get; }

    [MemberNotNullWhen(false, nameof(Fault))]
    public bool Succeeded => Fault is null;

    /// <summary>The value. Asking a failed outcome for it is a bug.</summary>
    public T Value => Fault is null
        ? value! // Set by the only constructor path that leaves the fault null.
        : throw new InvalidOperationException($"The outcome is a fault: {Fault}");

    /// <summary>True with the value, or false with the fault.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T result, [NotNullWhen(false)] out Fault? fault)
    {
        result = value;
        fault = Fault;
        return fault is null;
    }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Fault fault) => new(default, fault);

    public override string ToString() => Fault?.ToString() ?? $"{value}";
}
