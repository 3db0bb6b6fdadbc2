namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>How much requests matter: those that matter least are refused first.</summary>
internal enum Importance { Low, Normal, Critical }

internal static class Importances
{
    public const int Count = 3;

    /// <summary>Null for a word that this version does not understand.</summary>
    public static Importance? Read(string text) => text switch
    {
        "low" => Importance.Low,
        "normal" => Importance.Normal,
        "critical" => Importance.Critical,
        _ => null,
    };
}
