using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting;

/// <summary>The node cannot start, for a reason that the operator can mend. Nothing is left open.</summary>
public sealed class StartupException(Fault fault, Exception? cause = null) : Exception(fault.ToString(), cause)
{
    public Fault Fault { get; } = fault;
}
