//! What the demo says, in English and Russian.

use std::path::Path;
use std::time::Duration;

use agent::certificate::Summary;
use agent::config::LanguageChoice;
use agent::prompt::Language;

use super::super::speak::counted;
use super::stage::Confirmed;

/// The words of one language.
pub(super) struct Words {
    russian: bool,
}

impl Words {
    /// By the environment.
    pub(super) fn choose() -> Self {
        Self {
            russian: matches!(Language::choose(LanguageChoice::Auto), Language::Ru),
        }
    }

    fn pick(&self, english: String, russian: String) -> String {
        if self.russian { russian } else { english }
    }

    pub(super) fn begin(&self) -> String {
        self.pick(
            "A demonstration with test parts: nothing here proves anything about a person.".to_owned(),
            "Демонстрация на тестовых компонентах: она ничью личность не подтверждает.".to_owned(),
        )
    }

    pub(super) fn portal(&self, portal: &str) -> String {
        self.pick(
            format!("Portal       {portal} asks the account \"demo\" to confirm who it is"),
            format!("Портал       {portal} просит учётную запись «demo» подтвердить личность"),
        )
    }

    pub(super) fn paired(&self, agent: &str, digits: &str) -> String {
        self.pick(
            format!("Plugin       paired with the agent at {agent}; both sides showed {digits}"),
            format!("Плагин       подключён к агенту {agent}; обе стороны показали {digits}"),
        )
    }

    /// The first confirmation, at length.
    pub(super) fn confirmed(&self, confirmed: &Confirmed) -> String {
        let mut lines = Vec::new();
        if let Some(certificate) = &confirmed.certificate {
            lines.push(self.certificate(certificate));
        }
        if let Some(statement) = &confirmed.statement {
            lines.push(self.pick(format!("Signed       {statement}"), format!("Подписано    {statement}")));
        }
        lines.push(self.verdict(confirmed));
        lines.push(self.times(confirmed));
        lines.join("\n")
    }

    fn certificate(&self, certificate: &Summary) -> String {
        let Summary {
            name, issuer, serial, ..
        } = certificate;
        let until = certificate.not_after.date();
        self.pick(
            format!("Certificate  of {name}, issued by {issuer}, serial {serial}, valid until {until}"),
            format!("Сертификат   {name}, кем выдан: {issuer}, серийный номер {serial}, действует до {until}"),
        )
    }

    fn verdict(&self, confirmed: &Confirmed) -> String {
        let said = |member: &str| confirmed.verdict[member].as_str().unwrap_or("?").to_owned();
        let (account, level, name, algorithm) = (said("account"), said("level"), said("name"), said("algorithm"));
        let format = &confirmed.format;
        self.pick(
            format!("Verdict      the account \"{account}\" is now \"{level}\": {name} (proof {format}, {algorithm})"),
            format!("Решение      учётная запись «{account}» теперь «{level}»: {name} (доказательство {format}, {algorithm})"),
        )
    }

    fn times(&self, confirmed: &Confirmed) -> String {
        let step = |(name, time): &(String, f64)| format!("{} {time:.1}", self.step(name));
        let steps = confirmed.times.iter().map(step).collect::<Vec<_>>().join(", ");
        self.pick(format!("Time, ms     {steps}"), format!("Время, мс    {steps}"))
    }

    fn step(&self, name: &str) -> String {
        let russian = match name {
            "challenge" => "запрос портала",
            "request" => "обращение к агенту",
            "consent and sign" => "согласие и подпись",
            "verdict" => "проверка порталом",
            "total" => "всего",
            other => other,
        };
        self.pick(name.to_owned(), russian.to_owned())
    }

    /// A further confirmation, in one line.
    pub(super) fn also(&self, confirmed: &Confirmed) -> String {
        let total = confirmed
            .times
            .iter()
            .find(|(step, _)| step == "total")
            .map_or(0.0, |(_, time)| *time);
        let format = &confirmed.format;
        let algorithm = confirmed.verdict["algorithm"].as_str().unwrap_or("?");
        self.pick(
            format!("Once more    as {format}: accepted ({algorithm}), {total:.1} ms"),
            format!("Ещё раз      в формате {format}: принято ({algorithm}), {total:.1} мс"),
        )
    }

    pub(super) fn history(&self, path: &Path, records: u64) -> String {
        let path = path.display();
        self.pick(
            format!(
                "History      {path}: {}, each follows the one before it",
                counted(records, "record", "records")
            ),
            format!("История      {path}: записей {records}, каждая связана с предыдущей"),
        )
    }

    pub(super) fn end(&self, set: Duration, whole: Duration) -> String {
        self.pick(
            format!("Done in {whole:?}, of which starting the portal and the agent took {set:.0?}."),
            format!(
                "Готово за {} мс, из них запуск портала и агента — {} мс.",
                whole.as_millis(),
                set.as_millis()
            ),
        )
    }
}
