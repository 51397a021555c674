'use strict';
// words - names of people, places and things, [as displayed, as in an address].

const given = [['Ada', 'ada'], ['Bruno', 'bruno'], ['Chloé', 'chloe'], ['Dmitri', 'dmitri'], ['Esra', 'esra'], ['François', 'francois'],
  ['Grace', 'grace'], ['Håkon', 'hakon'], ['Inès', 'ines'], ['João', 'joao'], ['Kwame', 'kwame'], ['Łukasz', 'lukasz'], ['Mei', 'mei'],
  ['Nguyễn', 'nguyen'], ['Olga', 'olga'], ['Priya', 'priya'], ['Quentin', 'quentin'], ['Renée', 'renee'], ['Søren', 'soren'],
  ['Tomáš', 'tomas'], ['Ursula', 'ursula'], ['Víctor', 'victor'], ['Wei', 'wei'], ['Ximena', 'ximena'], ['Yusuf', 'yusuf'], ['Zoë', 'zoe'],
  ['Alice', 'alice'], ['Bob', 'bob'], ['Carmen', 'carmen'], ['Daniel', 'daniel'], ['Élodie', 'elodie'], ['Farid', 'farid']];

const surnames = [['Abreu', 'abreu'], ['Bauer', 'bauer'], ['Çelik', 'celik'], ["D'Amico", 'damico'], ['Eriksson', 'eriksson'], ['Fischer', 'fischer'],
  ['García', 'garcia'], ['Haddad', 'haddad'], ['Ivanova', 'ivanova'], ['Janssen', 'janssen'], ['Kowalczyk', 'kowalczyk'], ['Lefèvre', 'lefevre'],
  ['Müller', 'mueller'], ['Nakamura', 'nakamura'], ["O'Brien", 'obrien'], ['Pérez', 'perez'], ['Quist', 'quist'], ['Rossi', 'rossi'],
  ['Smith', 'smith'], ['Tanaka', 'tanaka'], ['Ünal', 'unal'], ['van den Berg', 'vandenberg'], ['Weiß', 'weiss'], ['Xu', 'xu'], ['Yıldız', 'yildiz'],
  ['Żak', 'zak'], ['Jones', 'jones'], ['Martin', 'martin'], ['Singh', 'singh'], ['Okafor', 'okafor'], ['Novák', 'novak'], ['Ryan', 'ryan'],
  ['Dupont', 'dupont'], ['Keller', 'keller'], ['Berg', 'berg'], ['Lind', 'lind'], ['Moreau', 'moreau'], ['Costa', 'costa'], ['Ricci', 'ricci'],
  ['Brown', 'brown'], ['Wójcik', 'wojcik']];

// Display names that break careless writers of CSV, JSON, XML and spreadsheets.
const awkward = ['=HYPERLINK("http://evil.example","x")', '+1 555 0100', '-2+3', '@SUM(A1:A9)', 'Comma, Inc.', 'Say "Hello"', "It's",
  'two\nlines', 'carriage\r\nreturn', 'tab\there', ' leading and trailing ', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🦊', 'שלום עולם', 'مرحبا', '山田太郎', 'Ω≈ç√∫',
  '<script>alert(1)</script>', 'semi;colon', 'back\\slash', 'null', 'TRUE', '0012', 'é (NFD: e\u0301)', 'x'.repeat(200) + 'é🦊'];

const departments = ['Finance', 'Sales', 'Research & Development', 'IT', 'Human Resources', 'Legal', 'Opérations', 'Marketing, Events', 'Support', null];
const titles = ['Engineer', 'Manager', 'Analyst', 'Director', 'Accountant', 'Technician', 'Designer', 'Vice President, "Growth"', 'Intern', null];
const employeeTypes = ['Employee', 'Contractor', 'Intern', 'Consultant', 'Vendor', null];
const offices = ['18/2111', 'Paris – Tour A', 'Berlin', '東京', 'Remote', null];
const companies = ['Contoso', 'Fabrikam, Inc.', 'Wide World Importers', null];
const cities = ['Paris', 'Berlin', 'Kraków', 'São Paulo', 'Seattle', 'Pune', null];
const countries = ['FR', 'DE', 'PL', 'BR', 'US', 'IN'];
const languages = ['en-US', 'fr-FR', 'de-DE', null];
const teams = ['Payroll', 'Helpdesk', 'VPN users', 'All Staff', 'Golf', 'Project Apollo', 'Kundendienst', 'Équipe Sécurité', 'SQL readers', 'Printers'];
const guestDomains = ['partner.example', 'supplier.example', 'gmail.example'];
const systems = [['Windows', '10.0.22631.4460'], ['Windows', '10.0.19045.5131'], ['iOS', '18.1'], ['Android', '14'], ['macOS', '15.1.1'], ['Linux', '6.8']];
const makers = [['Contoso Hardware', 'Book 3'], ['Google', 'Pixel 8'], ['Apple', 'iPhone 15'], [null, null]];

module.exports = { given, surnames, awkward, departments, titles, employeeTypes, offices, companies, cities, countries, languages, teams,
  guestDomains, systems, makers };
