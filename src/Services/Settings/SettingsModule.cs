namespace Groundwork.Services.Settings;

public static class SettingsModule
{
    public const string ModuleName = "settings";
}
