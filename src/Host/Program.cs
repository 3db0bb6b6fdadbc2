using Groundwork.Host.CommandLine;
using Groundwork.Host.Verbs;

using var interruption = Interruption.OfProcess();
return await GroundworkCommand.RunAsync(
    args,
    Surroundings.OfProcess(),
    interruption,
    VerbTable.All());
