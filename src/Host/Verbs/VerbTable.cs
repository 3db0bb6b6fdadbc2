using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Doctor;
using Groundwork.Host.Importing;
using Groundwork.Host.Processes;
using Groundwork.Host.Up;

namespace Groundwork.Host.Verbs;

/// <summary>Every verb, by family. A verb that is not here does not exist.</summary>
internal static class VerbTable
{
    public static ImmutableArray<Command> All() =>
    [
        UpVerb.Create(),
        RunVerb.Create(),
        LaunchVerb.Create(),
        .. ReadVerbs.All(),
        WatchVerb.Create(),
        .. ChangeVerbs.All(),
        ImportVerbs.Create(),
        .. HistoryVerbs.All(),
        .. ApprovalVerbs.All(),
        .. ComparingVerbs.Create(),
        .. SettingVerbs.All(),
        SettingsVerbs.Create(),
        .. SealingVerbs.All(),
        ServiceVerbs.Create(),
        ExplainVerbs.Create(),
        GatewayVerbs.Create(),
        .. DrainVerbs.All(),
        .. AccessVerbs.All(),
        AuditVerbs.Create(),
        OperatorVerbs.Create(),
        BackupVerbs.CreateBackup(),
        RestoreVerb.Create(),
        DoctorVerb.Create(),
        .. NodeVerbs.All(),
    ];
}
