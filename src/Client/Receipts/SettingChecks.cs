using System.Collections.Immutable;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Client.Receipts;

/// <summary>Asks those who take settings over as a whole or not at all, with every change of the
/// configuration.</summary>
internal sealed class SettingChecks(SettingUsers users, ImmutableArray<ISettingsCheck> checks) : IDisposable
{
    private IDisposable? following;

    /// <summary>Asks now, and with every change.</summary>
    public void Follow(IConfiguration configuration)
    {
        following = ChangeToken.OnChange(configuration.GetReloadToken, () => Ask(configuration));
        Ask(configuration);
    }

    public void Dispose() => following?.Dispose();

    private void Ask(IConfiguration configuration)
    {
        foreach (var check in checks)
        {
            using var use = users.Begin(check, "");
            if (check.Check(configuration) is { } wrong) use.Failed(wrong);
            else use.Passed();
        }
    }
}
