using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.CommandLine;

/// <summary>What the process says to the shell. Documented in <c>docs/cli.md</c>; scripts rely on them.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The platform answered with a fault, or what was asked for is not so.</summary>
    public const int Fault = 1;

    /// <summary>The command line, or a file that it names, is wrong; nothing was sent.</summary>
    public const int Usage = 2;

    /// <summary>No node answers at the address.</summary>
    public const int Unreachable = 3;

    /// <summary>No valid credential, or it does not grant this.</summary>
    public const int Refused = 4;

    /// <summary>Something changed in between: read again and decide.</summary>
    public const int Conflict = 5;

    /// <summary><c>diff --exit-code</c>: there are differences.</summary>
    public const int Different = 6;

    /// <summary>A bug of ours (as BSD's EX_SOFTWARE).</summary>
    public const int Bug = 70;

    /// <summary>Ended by Ctrl-C, as a shell says it (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM (128 + SIGTERM).</summary>
    public const int Terminated = 143;

    public static int Of(ProblemDocument problem) => problem.Status switch
    {
        401 or 403 => Refused,
        409 or 412 => Conflict,
        429 when problem.Code == ErrorCodes.TooManySignIns.Code => Refused,
        _ => Fault,
    };
}
