using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Settings;

/// <summary>
/// Somebody who takes keys of the configuration over as a whole or not at all. What it says of a publication is part of
/// what became of it.
/// </summary>
internal interface ISettingsCheck
{
    /// <summary>
    /// What is wrong with the candidate, in words that name each key; null when it can be taken over. Does not change
    /// anything.
    /// </summary>
    string? Check(IConfiguration candidate);
}
