namespace Groundwork.Kernel.Security;

/// <summary>The first operator of an install.</summary>
public static class AdminBootstrap
{
    public const string OperatorName = "admin";
}
